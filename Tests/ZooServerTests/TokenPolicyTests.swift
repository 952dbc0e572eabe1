// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import HTTPTypes
import Synchronization
import Testing
import ZooCore
import ZooServer
import ZooStore
import ZooTesting

/// What credentials allow, what refusals say, and how long sessions last.
@Suite("Access by token")
struct TokenPolicyTests {
    private static func withPolicy(
        _ change: (inout TokenPolicy.Settings) -> Void = { _ in },
        _ body: (Registry) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            var settings = TokenPolicy.Settings()
            change(&settings)
            let state = folder.path(of: "state")
            try await body(try Registry(state: state, settings))
        }
    }

    /// A policy whose clocks the test sets.
    private final class Registry: Sendable {
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

    private struct Accepted: Error {}

    private static func refusal(
        _ body: () async throws -> some Any
    ) async throws -> AccessRefusal {
        do { _ = try await body() } catch let refusal as AccessRefusal { return refusal }
        throw Accepted()
    }

    // MARK: Credentials

    @Test("Bearer and Basic allow what the token allows, and no more")
    func credentials() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            for credentials in [
                RequestCredentials.bearer(secret), .basic(user: "anyone", password: secret),
                .basic(user: "", password: secret),
            ] {
                let access = try await registry.access(credentials)
                #expect(access.subject == "ci")
                #expect(!access.isSession)
                #expect(access.allows(.read, in: "ami"))
                #expect(access.allows(.publish, in: "ami"))
                #expect(!access.allows(.admin, in: "ami"))
                #expect(!access.allows(.read, in: "lab"))
                #expect(!access.allows(.read, in: Access.everywhere))
            }
            let anonymous = try await registry.access(nil)
            #expect(anonymous.subject == nil)
            for action in RegistryAction.allCases { #expect(!anonymous.allows(action, in: "ami")) }
        }
    }

    @Test("The switch for anonymous readers gives everybody read and nobody more")
    func anonymousRead() async throws {
        try await Self.withPolicy({ $0.anonymousRead = true }) { registry in
            let secret = try registry.create("ci", "ami:publish")
            let session = try await registry.session(nil, "repository:ami/x:pull,push")
            for credentials in [nil, RequestCredentials.bearer(secret), .bearer(session)] {
                let access = try await registry.access(credentials)
                #expect(access.allows(.read, in: "ami"))
                #expect(!access.allows(.publish, in: "lab"))
            }
            #expect(!(try await registry.access(.bearer(session))).allows(.publish, in: "ami"))
            #expect(!(try await registry.access(.bearer(session))).allows(.read, in: "lab"))
            #expect(try await registry.access(nil).allows(.read, in: "lab"))
        }
    }

    @Test("Unknown, expired, revoked and malformed tokens get the same refusal")
    func refusals() async throws {
        try await Self.withPolicy { registry in
            let old = try registry.create("old", "*:admin", expires: registry.now + 10)
            let gone = try registry.create("gone", "*:admin")
            let oldSession = try await registry.session(old)
            let goneSession = try await registry.session(gone)
            registry.advance(11)
            try registry.accounts.revoke("gone", by: "user:test", at: registry.now)
            var texts: Set<String> = []
            for secret in [
                old, gone, oldSession, goneSession, "amz_" + String(repeating: "1", count: 64),
                "amzs_" + String(repeating: "1", count: 200), "amzs_", "x",
                String(repeating: "amzs_", count: 200_000), "amzs_é",
            ] {
                let refusal = try await Self.refusal {
                    try await registry.access(.bearer(secret), "2001:db8::\(texts.count)")
                }
                #expect(refusal.status == .unauthorized)
                #expect(refusal.error.code == .unauthorized)
                texts.insert("\(refusal.error) \(refusal.retryAfter ?? 0)")
            }
            #expect(texts.count == 1)
        }
    }

    // MARK: Sessions

    @Test("The token endpoint grants the part of a wanted scope that the token allows")
    func grants() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish", "lab:read")
            let credentials = RequestCredentials.basic(user: "x", password: secret)
            let answer = try await registry.answer(
                credentials,
                "repository:ami/ball-drop:pull repository:lab/x:pull,push",
                "registry:catalog:*"
            )
            #expect(try answer.string("token") == (try answer.string("access_token")))
            #expect(answer.value("expires_in") == .integer(300))
            #expect(try answer.string("issued_at") == "1970-01-12T13:46:40Z")
            let access = try await registry.access(.bearer(try answer.string("token")))
            #expect(access.subject == "ci")
            #expect(access.isSession)
            #expect(access.allows(.read, in: "ami"))
            #expect(!access.allows(.publish, in: "ami"))
            #expect(access.allows(.read, in: "lab"))
            #expect(!access.allows(.publish, in: "lab"))
            // Without a scope, as at a login: all rights.
            let all = try await registry.access(.bearer(try await registry.session(secret)))
            #expect(all.allows(.publish, in: "ami"))
            #expect(!all.allows(.publish, in: "lab"))
        }
    }

    @Test(
        "Scopes that are not understood give nothing",
        arguments: [
            "", " ", ":", "::", "repository", "repository:ami/x", "repository::pull",
            "repository:/ami/x:pull", "repository:ami/x:", "repository:ami/x:look",
            "repository:*/x:pull", "repository:*:pull", "repository:..:pull",
            "repository:ami|0|all/x:pull", "repository:ami,*:admin/x:pull",
            "repository(plugin):ami/x:pull", "registry:catalog:*",
        ]
    )
    func strangeScopes(scope: String) async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("root", "ami:admin")
            let session = try await registry.session(secret, "repository:q/x:pull \(scope)")
            let access = try await registry.access(.bearer(session))
            for namespace in ["ami", "lab", "*", ""] {
                #expect(!access.allows(.read, in: namespace))
            }
        }
    }

    @Test("A request with thousands of scopes makes a token that fits a header")
    func manyScopes() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("root", "*:admin")
            let scopes = (0..<5000).map {
                "repository:\(String(repeating: "a", count: 60))\($0)/x:*"
            }
            let session = try await registry.session(secret, scopes.joined(separator: " "))
            #expect(session.utf8.count < 4000)
            _ = try await registry.access(.bearer(session))
        }
    }

    @Test("A session ends after five minutes, with its token, and when its token is revoked")
    func sessionLifetime() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish", expires: registry.now + 400)
            let first = try await registry.session(secret)
            registry.advance(299)
            _ = try await registry.access(.bearer(first))
            registry.advance(1)
            _ = try await Self.refusal { try await registry.access(.bearer(first)) }
            let answer = try await registry.answer(.bearer(secret))
            #expect(answer.value("expires_in") == .integer(100))
            let second = try answer.string("token")
            registry.advance(99)
            _ = try await registry.access(.bearer(second))
            registry.advance(1)
            _ = try await Self.refusal { try await registry.access(.bearer(second)) }
            let third = try await registry.session(try registry.create("b", "ami:read"))
            _ = try await registry.access(.bearer(third))
            // As the command does in another process.
            try registry.accounts.revoke("b", by: "user:test", at: registry.now)
            _ = try await Self.refusal { try await registry.access(.bearer(third)) }
        }
    }

    @Test("A clock that is set back does not lengthen the life of a session")
    func clockGoesBack() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            let session = try await registry.session(secret)
            registry.setClock(by: -30)
            _ = try await registry.access(.bearer(session))
            registry.setClock(by: -3600)
            _ = try await Self.refusal { try await registry.access(.bearer(session)) }
            // The token itself has no date that says otherwise.
            _ = try await registry.access(.bearer(secret))
        }
    }

    @Test("A session is not renewed, not a password, and not valid elsewhere")
    func sessionUse() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            let session = try await registry.session(secret)
            for credentials in [
                RequestCredentials.bearer(session), .basic(user: "x", password: session),
            ] {
                let refusal = try await Self.refusal { try await registry.answer(credentials) }
                #expect(refusal.status == .unauthorized)
            }
            _ = try await Self.refusal {
                try await registry.access(.basic(user: "x", password: session))
            }
            _ = try await Self.refusal { try await registry.answer(nil) }
            try await Self.withPolicy { other in
                // The same number of the token, another server.
                _ = try other.create("ci", "*:admin")
                _ = try await Self.refusal { try await other.access(.bearer(session)) }
            }
        }
    }

    @Test("No changed session is accepted")
    func forgery() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:read")
            let session = try await registry.session(secret, "repository:ami/x:pull")
            #expect(session.wholeMatch(of: /amzs_[0-9a-f]+/) != nil)
            var number = 0
            func isRefused(_ text: String) async throws {
                number += 1
                let refusal = try await Self.refusal {
                    try await registry.access(
                        .bearer(text),
                        "2001:db8:\(number % 900):\(number)::1"
                    )
                }
                #expect(refusal.status == .unauthorized)
            }
            for index in session.indices.dropFirst(5) {
                var changed = session
                changed.replaceSubrange(index...index, with: session[index] == "0" ? "1" : "0")
                try await isRefused(changed)
            }
            for text in [
                session + "0", session + "00", String(session.dropLast()),
                String(session.dropLast(2)), "amzs_" + session, "amzs_" + session.dropFirst(7),
                "amzs_" + String(session.suffix(64)), session.uppercased(),
            ] { try await isRefused(text) }
            _ = try await registry.access(.bearer(session))
        }
    }

    @Test("A mounted registry grants only what is below its prefix")
    func prefix() async throws {
        try await Self.withPolicy({ $0.prefix = "partner" }) { registry in
            let secret = try registry.create("ci", "ami:publish")
            let inside = try await registry.session(secret, "repository:partner/ami/x:pull,push")
            #expect(try await registry.access(.bearer(inside)).allows(.publish, in: "ami"))
            for scope in ["ami/x", "other/ami/x", "partner", "partners/ami/x"] {
                let outside = try await registry.session(secret, "repository:\(scope):pull")
                #expect(!(try await registry.access(.bearer(outside))).allows(.read, in: "ami"))
            }
        }
    }

    // MARK: Limits

    @Test("Guessing is slowed down, and keeps no valid token of the same address out")
    func guessing() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:read")
            var statuses: [Int] = []
            for number in 0..<30 {
                let guess = "amz_" + String(repeating: "\(number % 10)", count: 64)
                let refusal = try await Self.refusal { try await registry.access(.bearer(guess)) }
                statuses.append(refusal.status.code)
                if refusal.status.code == 429 { #expect(refusal.retryAfter == 3) }
            }
            #expect(statuses == Array(repeating: 401, count: 20) + Array(repeating: 429, count: 10))
            _ = try await registry.access(.bearer(secret))
            registry.advance(3)
            let refusal = try await Self.refusal { try await registry.access(.bearer("x")) }
            #expect(refusal.status == .unauthorized)
            // A clock that is set ahead gives no new guesses.
            registry.setClock(by: 86_400)
            let next = try await Self.refusal { try await registry.access(.bearer("x")) }
            #expect(next.status == .tooManyRequests)
        }
    }

    @Test("Rates are limited per token, and per address without one, with a time to wait")
    func rates() async throws {
        try await Self.withPolicy({ ($0.rateLimit, $0.anonymousRead) = (5, true) }) { registry in
            let (one, two) = (
                try registry.create("a", "*:read"), try registry.create("b", "*:read")
            )
            for _ in 0..<10 { _ = try await registry.access(nil, "2001:db8::1") }
            let anonymous = try await Self.refusal {
                try await registry.access(nil, "2001:db8::2:3:4:5")
            }
            #expect(anonymous.status == .tooManyRequests)
            #expect(anonymous.error.code == .tooManyRequests)
            #expect(anonymous.retryAfter == 1)
            _ = try await registry.access(nil, "2001:db8:0:1::1")
            // A token counts wherever it comes from, alone and as a session.
            for number in 0..<9 {
                _ = try await registry.access(.bearer(one), "192.0.2.\(number)")
            }
            let session = try await registry.session(one)
            for secret in [one, session] {
                let refusal = try await Self.refusal {
                    try await registry.access(.bearer(secret), "192.0.2.99")
                }
                #expect(refusal.status == .tooManyRequests)
            }
            _ = try await registry.access(.bearer(two), "2001:db8::1")
            // Other sessions of nobody are nobody.
            registry.advance(1)
            _ = try await registry.access(.bearer(one), "2001:db8::1")
            _ = try await registry.access(nil, "2001:db8::1")
        }
    }

    @Test("An upload beyond the quota is refused until the next day")
    func quota() async throws {
        try await Self.withPolicy({ $0.quota = 100 }) { registry in
            let secret = try registry.create("ci", "ami:publish")
            let access = try await registry.access(.bearer(secret))
            try await registry.policy.admit(upload: 100, by: access)
            let refusal = try await Self.refusal {
                try await registry.policy.admit(upload: 1, by: access)
            }
            #expect(refusal.status == .tooManyRequests)
            #expect(refusal.error.code == .quotaExceeded)
            registry.advance(try #require(refusal.retryAfter))
            try await registry.policy.admit(upload: 1, by: access)
            #expect(registry.now % 86_400 == 0)
        }
    }

    @Test("Use and changes are recorded, the use at most once a minute")
    func records() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            func used() throws -> Int? { try registry.accounts.tokens().first?.lastUsed }
            /// The use is recorded while the request goes on.
            func waitForUse(at date: Int) async throws {
                for _ in 0..<1000 where try used() != date {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(try used() == date)
            }
            #expect(try used() == nil)
            let start = registry.now
            let access = try await registry.access(.bearer(secret))
            try await waitForUse(at: start)
            registry.advance(59)
            _ = try await registry.access(.bearer(secret))
            registry.advance(1)
            _ = try await registry.access(.bearer(secret))
            try await waitForUse(at: start + 60)
            try await registry.policy.record("publish", of: "ami/ball-drop:1.0.0", by: access)
            let record = AuditRecord(
                date: start + 60,
                subject: "ci",
                action: "publish",
                target: "ami/ball-drop:1.0.0"
            )
            #expect(try registry.accounts.audit(limit: 1) == [record])
        }
    }

    @Test("A program that holds the database for writing keeps nobody out")
    func busyDatabase() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try Registry(state: folder.path(of: "state"), TokenPolicy.Settings())
            let secret = try registry.create("ci", "ami:publish")
            let script = """
                import sqlite3, sys, time
                c = sqlite3.connect(sys.argv[1], isolation_level=None)
                c.execute('BEGIN IMMEDIATE'); open(sys.argv[2], 'w').close(); time.sleep(100)
                """
            let writer = try ChildProcess(
                "python3",
                ["-c", script, folder.path(of: "state/accounts.sqlite"), folder.path(of: "ready")]
            )
            while (try? folder.read("ready")) == nil {
                try #require(writer.isRunning)
                try await Task.sleep(for: .milliseconds(10))
            }
            let start = ContinuousClock.now
            #expect(try await registry.access(.bearer(secret)).allows(.publish, in: "ami"))
            _ = try await registry.session(secret)
            // SQLite waits 30 s for another writer.
            #expect(start.duration(to: .now) < .seconds(15))
            await writer.kill()
        }
    }

    // MARK: Challenges

    @Test("Challenges name the token endpoint, and quote nothing that could end a header")
    func challenges() async throws {
        try await Self.withPolicy { registry in
            let plain = registry.policy.challenges(
                scope: "repository:ami/x:pull,push",
                origin: "https://zoo.example:8443"
            )
            let bearer = """
                Bearer realm="https://zoo.example:8443/token",service="zoo.example:8443",\
                scope="repository:ami/x:pull,push"
                """
            #expect(plain == [bearer, "Basic realm=\"ami-zoo\""])
            for text in registry.policy.challenges(
                scope: "a\"\r\nX: y" + String(repeating: "z", count: 100_000),
                origin: "http://h\",x=\"\r\n\u{0}é"
            ) {
                #expect(text.utf8.allSatisfy { (0x20...0x7e).contains($0) })
                #expect(text.count(where: { $0 == "\"" }).isMultiple(of: 2))
                #expect(text.utf8.count < 2000)
            }
        }
    }
}
