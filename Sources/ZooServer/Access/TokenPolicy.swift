// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Synchronization
package import ZooCore
internal import ZooFiles
package import ZooStore

/// The policy of a server with accounts: a token says what its holder may do.
///
/// Accepted are the token itself, as a bearer or as the password of Basic, and session tokens of the
/// token endpoint as a bearer. Every request looks its token up, so that a revocation by another
/// process ends it and its sessions at once. A refusal never says whether a token exists, is expired or
/// revoked.
package final class TokenPolicy: AccessPolicy {
    /// The choices of the operator.
    package struct Settings: Sendable {
        /// Whether senders without credentials may read.
        package var anonymousRead = false
        /// Requests per second of one token, and of one address without a valid one; nil for no limit.
        package var rateLimit: Int?
        /// Bytes that one token may upload in a day; nil for no limit.
        package var quota: Int?
        /// The prefix under which the registry is mounted; nil at the root.
        package var prefix: String?

        /// Creates the standard settings.
        package init() {}
    }

    /// Wrong credentials that an address may send at once, and how many more per second.
    private static let failures = (burst: 20.0, rate: 1.0 / 3)
    /// How often the use of a token is recorded, in seconds: each time writes to the disk.
    private static let useInterval = 60
    /// The number of scopes of one request to the token endpoint; clients ask for two at most.
    private static let largestScopeCount = 16

    private let accounts: AccountDatabase
    private let settings: Settings
    private let date: @Sendable () -> Int
    private let uptime: @Sendable () -> Double
    private let sessions = SessionTokens()
    private let requests: RateLimiter?
    private let wrong = RateLimiter(rate: failures.rate, burst: failures.burst)
    private let uses = Mutex<[Int: Int]>([:])

    package let isWritable = true

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - accounts: the accounts.
    ///   - settings: the choices of the operator.
    ///   - date: the time in seconds since 1970, which decides what is expired.
    ///   - uptime: the seconds of a clock that is never set, for rates.
    package init(
        _ accounts: AccountDatabase,
        _ settings: Settings,
        date: @escaping @Sendable () -> Int,
        uptime: @escaping @Sendable () -> Double
    ) {
        self.accounts = accounts
        self.settings = settings
        self.date = date
        self.uptime = uptime
        requests = settings.rateLimit.map { RateLimiter(rate: Double($0), burst: Double($0) * 2) }
    }

    /// Creates a policy that measures rates with the continuous clock of the system.
    package convenience init(
        _ accounts: AccountDatabase,
        _ settings: Settings,
        date: @escaping @Sendable () -> Int
    ) {
        let start = ContinuousClock.now
        self.init(accounts, settings, date: date) { start.duration(to: .now) / .seconds(1) }
    }

    // MARK: Requests

    /// Who sends a request.
    private struct Sender: Sendable {
        /// The token; nil for an anonymous sender.
        var token: AccountToken?
        /// The rights to which a session is restricted; nil for all rights of the token.
        var scopes: [TokenScope]?
        /// Whether the sender showed a session token.
        var isSession = false

        func allows(_ level: TokenScope.Level, in namespace: String, _ settings: Settings) -> Bool {
            if let scopes, !scopes.contains(where: { $0.allows(level, in: namespace) }) {
                return false
            }
            if let token, token.allows(level, in: namespace) { return true }
            return level == .read && settings.anonymousRead
        }
    }

    package func access(_ credentials: RequestCredentials?, peer: String) async throws -> Access {
        let sender = try await sender(credentials, peer: peer)
        return Access(subject: sender.token?.name, isSession: sender.isSession) {
            [settings] action, namespace in
            sender.allows(TokenScope.Level(action), in: namespace, settings)
        }
    }

    /// Who sends a request with these credentials.
    ///
    /// - Throws: ``AccessRefusal``, or ``ZooError`` with a `database.*` code.
    private func sender(_ credentials: RequestCredentials?, peer: String) async throws -> Sender {
        let address = "address \(RateLimiter.sender(of: peer))"
        guard let credentials else {
            try requireRate(address)
            return Sender()
        }
        // A valid token is looked for first: whoever shares an address with a guesser is let in.
        guard let sender = try await find(credentials) else {
            try requireRate(address)
            guard let wait = wrong.wait(address, at: uptime()) else {
                throw Self.unauthorized("the credentials are wrong, expired or revoked")
            }
            throw Self.tooMany("this address sent too many wrong credentials", wait)
        }
        guard let token = sender.token else {
            try requireRate(address)
            return sender
        }
        try requireRate("token \(token.id)")
        recordUse(of: token)
        return sender
    }

    package func knows(_ credentials: RequestCredentials) async throws -> Bool {
        try await find(credentials) != nil
    }

    private func find(_ credentials: RequestCredentials) async throws -> Sender? {
        let now = date()
        let secret: String
        switch credentials {
        case .bearer(let text):
            if let claims = sessions.claims(of: text, at: now) {
                var sender = Sender(scopes: claims.scopes, isSession: true)
                guard let id = claims.token else { return sender }
                sender.token = try await BlockingWork.run { [accounts] _ in
                    try accounts.token(id: id, at: now)
                }
                return sender.token == nil ? nil : sender
            }
            secret = text
        case .basic(_, let password): secret = password
        }
        guard AccountDatabase.isWellFormed(secret) else { return nil }
        let token = try await BlockingWork.run { [accounts] _ in
            try accounts.token(for: secret, at: now)
        }
        return token.map { Sender(token: $0) }
    }

    /// Records the use of a token later: a request waits neither for the disk nor for another writer.
    private func recordUse(of token: AccountToken) {
        let now = date()
        let isDue = uses.withLock { uses in
            if let last = uses[token.id], abs(now - last) < Self.useInterval { return false }
            uses[token.id] = now
            return true
        }
        guard isDue else { return }
        Task { [accounts] in
            // A full disk or a busy database keeps nobody out.
            try? await BlockingWork.run { _ in try accounts.recordUse(of: token.id, at: now) }
        }
    }

    private func requireRate(_ sender: String) throws(AccessRefusal) {
        guard let wait = requests?.wait(sender, at: uptime()) else { return }
        throw Self.tooMany("too many requests", wait)
    }

    private static func tooMany(_ what: String, _ wait: Int) -> AccessRefusal {
        AccessRefusal(
            .tooManyRequests,
            ZooError(.tooManyRequests, what, remedy: "try again in \(wait) s, with a valid token"),
            retryAfter: wait
        )
    }

    private static func unauthorized(_ what: String) -> AccessRefusal {
        AccessRefusal(
            .unauthorized,
            ZooError(
                .unauthorized,
                what,
                remedy: "send a valid token; the registry's owner creates one with "
                    + "'ami-zoo token create'"
            )
        )
    }

    // MARK: Challenge and the token endpoint

    package func challenge(scope: String?, origin: String) -> String? {
        let origin = Self.quotable(origin)
        let host = origin.split(separator: "/").last.map(String.init) ?? ""
        var bearer = "Bearer realm=\"\(origin)/token\",service=\"\(host)\""
        if let scope { bearer += ",scope=\"\(Self.quotable(scope))\"" }
        // Basic credentials are taken too. oras takes the realm of a second challenge for that of the
        // first, and every client of registries knows this one.
        return bearer
    }

    /// The text without characters that would end a quoted string or a header.
    private static func quotable(_ text: String) -> String {
        String(
            text.prefix(500).filter {
                $0.isASCII && ($0.isLetter || $0.isNumber || "-._:/,*[]".contains($0))
            }
        )
    }

    package func token(_ request: TokenRequest) async throws -> JSONValue? {
        let sender = try await sender(request.credentials, peer: request.peer)
        // A session that could renew itself would not be short-lived.
        guard !sender.isSession else {
            throw Self.unauthorized("a session token cannot be exchanged for another one")
        }
        guard sender.token != nil || settings.anonymousRead else {
            throw Self.unauthorized("this registry needs credentials")
        }
        let now = date()
        let wanted = request.scopes.flatMap { $0.split(separator: " ") }
            .prefix(Self.largestScopeCount)
        // Without a scope, as at a login: all rights of the token.
        let scopes = wanted.isEmpty ? nil : wanted.compactMap { granted(String($0), to: sender) }
        let text = sessions.issue(
            SessionTokens.Claims(token: sender.token?.id, scopes: scopes),
            at: now
        )
        let lifetime = min(SessionTokens.lifetime, (sender.token?.expires ?? .max) - now)
        return [
            "token": .string(text), "access_token": .string(text),
            "expires_in": .integer(lifetime),
            "issued_at": .string(Timestamp(secondsSince1970: now).text),
        ]
    }

    /// The part of a wanted scope, such as `repository:ami/ball-drop:pull,push`, that is allowed.
    private func granted(_ scope: String, to sender: Sender) -> TokenScope? {
        let parts = scope.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "repository" else { return nil }
        var path = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        if let prefix = settings.prefix {
            guard path.removeFirst() == prefix else { return nil }
        }
        guard let namespace = path.first.map(String.init) else { return nil }
        let actions: [Substring: TokenScope.Level] = [
            "pull": .read, "push": .publish, "delete": .admin, "*": .admin,
        ]
        guard let wanted = parts[2].split(separator: ",").compactMap({ actions[$0] }).max(),
            let allowed = TokenScope.Level.allCases.last(where: {
                $0 <= wanted && sender.allows($0, in: namespace, settings)
            })
        else { return nil }
        // Parsed, because the client chose the namespace.
        return try? TokenScope(parsing: "\(namespace):\(allowed.rawValue)")
    }

    // MARK: Accounting

    package func admit(upload bytes: Int, by access: Access) async throws {
        guard let quota = settings.quota, let subject = access.subject else { return }
        let now = date()
        do {
            try await BlockingWork.run { [accounts] _ in
                try accounts.charge(bytes, to: subject, quota: quota, at: now)
            }
        } catch let error as ZooError where error.code == .quotaExceeded {
            throw AccessRefusal(.tooManyRequests, error, retryAfter: 86_400 - now % 86_400)
        }
    }

    package func record(_ action: String, of target: String, by access: Access) async throws {
        guard let subject = access.subject else { return }
        let entry = AuditRecord(date: date(), subject: subject, action: action, target: target)
        try await BlockingWork.run { [accounts] _ in try accounts.record(entry) }
    }
}

extension TokenScope.Level {
    fileprivate init(_ action: RegistryAction) {
        self =
            switch action {
            case .read: .read
            case .publish: .publish
            case .admin: .admin
            }
    }
}
