// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import HTTPTypes
import Synchronization
import Testing
import ZooCore
import ZooServer
import ZooStore
import ZooTesting

/// A policy whose clocks the test sets.
final class TestPolicy: Sendable {
    let accounts: AccountDatabase
    let policy: TokenPolicy
    /// Seconds since 1970, and of the clock that is never set.
    private let clocks: Clocks

    private final class Clocks: Sendable {
        let date = Mutex(1_000_000)
        let uptime = Mutex(0.0)
    }

    init(state: String, _ settings: TokenPolicy.Settings) throws {
        let (accounts, clocks) = (try AccountDatabase(state: state), Clocks())
        (self.accounts, self.clocks) = (accounts, clocks)
        policy = TokenPolicy(
            accounts,
            settings,
            date: { clocks.date.withLock(\.self) },
            uptime: { clocks.uptime.withLock(\.self) }
        )
    }

    var now: Int { clocks.date.withLock(\.self) }

    /// Time goes by.
    func advance(_ seconds: Int) {
        setClock(by: seconds)
        clocks.uptime.withLock { $0 += Double(seconds) }
    }

    /// Somebody sets the clock.
    func setClock(by seconds: Int) { clocks.date.withLock { $0 += seconds } }

    func create(_ name: String, _ scopes: String..., expires: Int? = nil) throws -> String {
        let scopes = try scopes.map(TokenScope.init(parsing:))
        let new = try NewToken(name, scopes, expires: expires, creator: "user:test")
        return try accounts.createToken(new, at: now).secret
    }

    func access(
        _ credentials: RequestCredentials?,
        _ peer: String = "192.0.2.1"
    ) async throws -> Access {
        try await policy.access(credentials, peer: peer)
    }

    func answer(
        _ credentials: RequestCredentials?,
        _ scopes: String...
    ) async throws -> JSONObject {
        let request = TokenRequest(
            credentials: credentials,
            peer: "192.0.2.1",
            service: "zoo.example",
            scopes: scopes,
            origin: "https://zoo.example"
        )
        return try JSONObject(try #require(try await policy.token(request)), at: "")
    }

    /// A session token.
    func session(_ secret: String?, _ scope: String? = nil) async throws -> String {
        let credentials = secret.map { RequestCredentials.basic(user: "x", password: $0) }
        let answer =
            if let scope {
                try await answer(credentials, scope)
            } else { try await answer(credentials) }
        guard case .string(let token)? = answer.value("token") else {
            throw ZooError(.fieldInvalid, "no token in the answer")
        }
        return token
    }
}

/// A suite of tests of a policy with accounts.
protocol PolicyTests {}

extension PolicyTests {
    static func withPolicy(
        _ change: (inout TokenPolicy.Settings) -> Void = { _ in },
        _ body: (TestPolicy) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            var settings = TokenPolicy.Settings()
            change(&settings)
            let state = folder.path(of: "state")
            try await body(try TestPolicy(state: state, settings))
        }
    }

    static func refusal(
        _ body: () async throws -> some Any
    ) async throws -> AccessRefusal {
        do { _ = try await body() } catch let refusal as AccessRefusal { return refusal }
        throw NothingRefused()
    }
}

/// What should have been refused was not.
private struct NothingRefused: Error {}
