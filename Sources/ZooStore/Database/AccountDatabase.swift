// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import GRDB
package import ZooCore
internal import ZooFiles

/// The accounts of a registry server: tokens, quotas, and who changed what.
///
/// It is an authority: a damaged file is refused, never replaced. A token has 256 random bits, so
/// nobody can guess it from its SHA-256; a slow hash protects only secrets that people choose. Several
/// processes may use the same file. All members block.
package struct AccountDatabase: Sendable {
    /// What every token starts with, so that scanners of leaked secrets recognise it.
    package static let tokenPrefix = "amz_"
    /// The number of hexadecimal digits of a token.
    private static let digits = 64

    private let file: DatabaseFile

    private static let schema = DatabaseFile.Schema(
        title: "an account database",
        applicationID: 0x414d_5a41,
        migrations: [
            """
            CREATE TABLE token (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL,
                hash TEXT NOT NULL UNIQUE,
                created INTEGER NOT NULL,
                creator TEXT NOT NULL,
                expires INTEGER,
                used INTEGER,
                revoked INTEGER
            ) STRICT;
            CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked IS NULL;
            CREATE TABLE scope (
                token INTEGER NOT NULL REFERENCES token (id) ON DELETE CASCADE,
                namespace TEXT NOT NULL,
                level TEXT NOT NULL CHECK (level IN ('read', 'publish', 'admin')),
                PRIMARY KEY (token, namespace)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE audit (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                date INTEGER NOT NULL,
                subject TEXT NOT NULL,
                action TEXT NOT NULL,
                target TEXT NOT NULL
            ) STRICT;
            CREATE TABLE upload (
                subject TEXT NOT NULL,
                day INTEGER NOT NULL,
                bytes INTEGER NOT NULL,
                PRIMARY KEY (subject, day)
            ) STRICT, WITHOUT ROWID;
            """
        ],
        isDerived: false
    )

    /// Opens the accounts in a state folder; missing ones are created.
    ///
    /// - Parameter folder: the state folder; a missing one is created with mode 0700.
    /// - Throws: ``ZooError`` with an `accounts.state-*` code when the folder is not private or is
    ///   inside a registry, a `database.*` code, or `io.*`.
    package init(state folder: String) throws(ZooError) {
        // First, so that nothing is created in a registry.
        try PrivateFiles.requireNotServed(folder)
        try PrivateFiles.createFolder(folder)
        try PrivateFiles.secureDatabase(Self.path(in: folder))
        file = try DatabaseFile(opening: Self.path(in: folder), Self.schema)
    }

    /// Opens the accounts in a state folder that has some.
    ///
    /// - Throws: ``ZooError`` with code `accounts.state-missing`, or as ``init(state:)``.
    package init(existingState folder: String) throws(ZooError) {
        guard try FileSystem.status(Self.path(in: folder)) != nil else {
            throw ZooError(
                .stateMissing,
                "there are no accounts in '\(folder)'",
                remedy:
                    "pass the folder that the server has as '--state', or create its first token "
                    + "with 'ami-zoo token create root --scope '*:admin' --state \(folder)'"
            )
        }
        try self.init(state: folder)
    }

    private static func path(in folder: String) -> String { "\(folder)/accounts.sqlite" }

    // MARK: Tokens

    /// Creates a token.
    ///
    /// - Parameters:
    ///   - new: what it is to be.
    ///   - date: the time, in seconds since 1970.
    /// - Returns: the secret, which is not stored and cannot be read again, and the token.
    /// - Throws: ``ZooError`` with code `accounts.token-name-taken`, or `database.*`.
    package func createToken(
        _ new: NewToken,
        at date: Int
    ) throws(ZooError) -> (secret: String, token: AccountToken) {
        let secret = Self.newSecret()
        let token = try file.write { database in
            let query = "SELECT count(*) > 0 FROM token WHERE name = ? AND revoked IS NULL"
            if try Bool.fetchOne(database, sql: query, arguments: [new.name]) ?? false {
                throw ZooError(
                    .tokenNameTaken,
                    "there is already a token '\(new.name)'",
                    remedy:
                        "choose another name, or first run 'ami-zoo token revoke \(new.name)' with "
                        + "the same '--state'"
                )
            }
            try database.execute(
                sql: """
                    INSERT INTO token (name, hash, created, creator, expires)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [new.name, Self.hash(of: secret), date, new.creator, new.expires]
            )
            let id = Int(database.lastInsertedRowID)
            for (namespace, level) in new.levels {
                try database.execute(
                    sql: "INSERT INTO scope VALUES (?, ?, ?)",
                    arguments: [id, namespace, level.rawValue]
                )
            }
            try Self.record(
                AuditRecord(
                    date: date,
                    subject: new.creator,
                    action: "token-create",
                    target: new.name
                ),
                database
            )
            return AccountToken(
                id: id,
                name: new.name,
                scopes: new.levels.map { TokenScope(namespace: $0, level: $1) }.sorted(),
                created: date,
                creator: new.creator,
                expires: new.expires,
                lastUsed: nil
            )
        }
        return (secret, token)
    }

    /// The prefix, and 256 bits of the system's cryptographic generator in hexadecimal.
    private static func newSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<digits / 16).reduce(into: tokenPrefix) { secret, _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            secret += String(repeating: "0", count: 16 - digits.count) + digits
        }
    }

    private static func hash(of secret: String) -> String { ContentDigest(of: secret.utf8).hex }

    /// The tokens that are not revoked, in the order of their creation.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func tokens() throws(ZooError) -> [AccountToken] {
        try file.read { database in
            let query = "SELECT * FROM token WHERE revoked IS NULL ORDER BY id"
            return try Row.fetchAll(database, sql: query).map { try Self.token($0, database) }
        }
    }

    private static func token(_ row: Row, _ database: Database) throws -> AccountToken {
        let id: Int = row["id"]
        let scopes = try Row.fetchAll(
            database,
            sql: "SELECT namespace, level FROM scope WHERE token = ? ORDER BY namespace",
            arguments: [id]
        ).compactMap { row in
            TokenScope.Level(rawValue: row["level"]).map {
                TokenScope(namespace: row["namespace"], level: $0)
            }
        }
        return AccountToken(
            id: id,
            name: row["name"],
            scopes: scopes,
            created: row["created"],
            creator: row["creator"],
            expires: row["expires"],
            lastUsed: row["used"]
        )
    }

    /// Revokes a token, which is refused from then on.
    ///
    /// - Parameters:
    ///   - name: the name.
    ///   - user: who revokes it, for the log.
    ///   - date: the time, in seconds since 1970.
    /// - Throws: ``ZooError`` with code `accounts.token-unknown`, or `database.*`.
    package func revoke(_ name: String, by user: String, at date: Int) throws(ZooError) {
        try file.write { database in
            try database.execute(
                sql: "UPDATE token SET revoked = ? WHERE name = ? AND revoked IS NULL",
                arguments: [date, name]
            )
            guard database.changesCount == 1 else {
                throw ZooError(
                    .tokenUnknown,
                    "there is no token '\(name.prefix(200))'",
                    remedy: "'ami-zoo token list' with the same '--state' lists the tokens"
                )
            }
            try Self.record(
                AuditRecord(date: date, subject: user, action: "token-revoke", target: name),
                database
            )
        }
    }

    /// Whether a text has the form of a token, so that looking it up makes sense.
    package static func isWellFormed(_ secret: String) -> Bool {
        secret.utf8.count == tokenPrefix.utf8.count + digits && secret.hasPrefix(tokenPrefix)
    }

    /// Finds the token of a secret; nil for a wrong, expired or revoked one.
    ///
    /// - Parameters:
    ///   - secret: what a client sent.
    ///   - date: the time, in seconds since 1970.
    /// - Returns: the token.
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func token(for secret: String, at date: Int) throws(ZooError) -> AccountToken? {
        guard Self.isWellFormed(secret) else { return nil }
        // The look-up may show in its time how much of the hash agrees. That helps nobody: whoever
        // could choose the hash would know a token.
        return try current("hash = ?", [Self.hash(of: secret)], at: date)
    }

    /// Finds a token by its number; nil for an expired or revoked one.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func token(id: Int, at date: Int) throws(ZooError) -> AccountToken? {
        try current("id = ?", [id], at: date)
    }

    private func current(
        _ condition: String,
        _ arguments: StatementArguments,
        at date: Int
    ) throws(ZooError) -> AccountToken? {
        try file.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT * FROM token
                    WHERE \(condition) AND revoked IS NULL AND (expires IS NULL OR expires > ?)
                    """
            )
            return try Row.fetchOne(statement, arguments: arguments + [date]).map {
                try Self.token($0, database)
            }
        }
    }

    /// Records that a token was used.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func recordUse(of id: Int, at date: Int) throws(ZooError) {
        try file.write { database in
            try database.execute(
                // The clock may have gone back.
                sql: "UPDATE token SET used = ? WHERE id = ? AND coalesce(used, 0) < ?",
                arguments: [date, id, date]
            )
        }
    }

    // MARK: Log

    private static func record(_ entry: AuditRecord, _ database: Database) throws {
        try database.execute(
            sql: "INSERT INTO audit (date, subject, action, target) VALUES (?, ?, ?, ?)",
            arguments: [entry.date, entry.subject, entry.action, entry.target]
        )
    }

    /// Records who changed what.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func record(_ entry: AuditRecord) throws(ZooError) {
        try file.write { try Self.record(entry, $0) }
    }

    /// The newest records, newest first.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func audit(limit: Int) throws(ZooError) -> [AuditRecord] {
        try file.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM audit ORDER BY id DESC LIMIT ?",
                arguments: [max(0, limit)]
            ).map { row in
                AuditRecord(
                    date: row["date"],
                    subject: row["subject"],
                    action: row["action"],
                    target: row["target"]
                )
            }
        }
    }

    // MARK: Quotas

    /// Counts an upload, or refuses it when its token would exceed the quota of the day.
    ///
    /// Days are those of UTC. An upload that fails later stays counted.
    ///
    /// - Parameters:
    ///   - bytes: the size of the upload.
    ///   - subject: the name of the token; a new token of the same name does not start again.
    ///   - quota: the largest number of bytes per day.
    ///   - date: the time, in seconds since 1970.
    /// - Throws: ``ZooError`` with code `accounts.quota-exceeded`, or `database.*`.
    package func charge(
        _ bytes: Int,
        to subject: String,
        quota: Int,
        at date: Int
    ) throws(ZooError) {
        let day = date / 86_400
        try file.write { database in
            // Some days are kept, in case that the clock goes back.
            try database.execute(sql: "DELETE FROM upload WHERE day < ?", arguments: [day - 7])
            let query = "SELECT bytes FROM upload WHERE subject = ? AND day = ?"
            let used = try Int.fetchOne(database, sql: query, arguments: [subject, day]) ?? 0
            let (total, overflow) = used.addingReportingOverflow(max(0, bytes))
            guard !overflow, total <= quota else {
                throw ZooError(
                    .quotaExceeded,
                    "the token '\(subject)' has uploaded \(used) of \(quota) bytes today, and this "
                        + "upload has \(bytes)",
                    remedy:
                        "try again tomorrow (UTC), or ask the registry's owner for a larger quota"
                )
            }
            try database.execute(
                sql: """
                    INSERT INTO upload VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET bytes = excluded.bytes
                    """,
                arguments: [subject, day, total]
            )
        }
    }
}
