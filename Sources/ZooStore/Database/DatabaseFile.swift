// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import GRDB
internal import Glibc
internal import ZooCore
internal import ZooFiles

/// An SQLite database whose schema is ours.
///
/// `PRAGMA application_id` says which schema it has, `PRAGMA user_version` how many of the migrations
/// were applied. All members block.
struct DatabaseFile: Sendable {
    /// What a database holds.
    struct Schema: Sendable {
        /// What the database is, for messages.
        let title: String
        /// The value of `application_id`; no two schemas share one.
        let applicationID: Int32
        /// The SQL of each migration, which never changes once it was released.
        let migrations: [String]
        /// Whether the content can be made again, so that a damaged file is replaced.
        let isDerived: Bool
    }

    /// How long to wait for another program, in seconds.
    private static let patience = 30.0

    /// The path; nil for a database in memory.
    let path: String?
    private let schema: Schema
    private let connections: any DatabaseWriter

    /// Opens a database and brings it to the newest schema; a missing file is created.
    ///
    /// - Parameters:
    ///   - path: the file; nil for a database in memory.
    ///   - schema: the schema. The file of a derived one is replaced when it is damaged.
    ///   - isBrief: whether one task uses it, and not for long. A pool writes to the log when it is opened,
    ///     and that and closing it wait for the disk four times.
    /// - Throws: ``ZooError`` with a `database.*` code, or `io.*`.
    init(opening path: String?, _ schema: Schema, isBrief: Bool = false) throws(ZooError) {
        do throws(ZooError) {
            try self.init(path, schema, isBrief)
        } catch {
            guard let path, schema.isDerived,
                error.code == .databaseDamaged || error.code == .databaseForeign
            else { throw error }
            for suffix in ["", "-wal", "-shm", "-journal"] {
                if try FileSystem.status(path + suffix) != nil {
                    try FileSystem.remove(path + suffix)
                }
            }
            try self.init(path, schema, isBrief)
        }
    }

    private init(_ path: String?, _ schema: Schema, _ isBrief: Bool) throws(ZooError) {
        self.path = path
        self.schema = schema
        var settings = Configuration()
        settings.busyMode = .timeout(Self.patience)
        settings.foreignKeysEnabled = true
        settings.maximumReaderCount = 4
        settings.prepareDatabase { database in
            // A schema that somebody else wrote runs none of its expressions.
            try database.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
        }
        let isLocal = try path.map { path throws(ZooError) in try Self.requireLocks(for: path) }
        connections = try Self.translating(path, schema) {
            guard let path else { return try DatabaseQueue(configuration: settings) }
            // WAL needs shared memory, which a network file system does not have.
            return if isLocal == true, !isBrief {
                try DatabasePool(path: path, configuration: settings)
            } else {
                try DatabaseQueue(path: path, configuration: settings)
            }
        }
        try migrate()
    }

    // MARK: Use

    /// Reads in one transaction.
    func read<Result>(_ body: (Database) throws -> Result) throws(ZooError) -> Result {
        try Self.translating(path, schema) { try connections.read(body) }
    }

    /// Writes in one transaction, which is undone when `body` throws.
    func write<Result>(_ body: (Database) throws -> Result) throws(ZooError) -> Result {
        try Self.translating(path, schema) {
            try connections.writeWithoutTransaction { database in
                var result: Result?
                // A transaction that reads first and writes later could not wait for other writers.
                try database.inTransaction(.immediate) {
                    result = try body(database)
                    return .commit
                }
                guard let result else { preconditionFailure("the transaction has run") }
                return result
            }
        }
    }

    private func migrate() throws(ZooError) {
        // Before the first transaction, because it has no effect inside of one. The pool sets NORMAL,
        // with which the last transactions can be lost when the power fails.
        let synchronous = schema.isDerived ? "NORMAL" : "FULL"
        try Self.translating(path, schema) {
            try connections.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = \(synchronous)")
            }
        }
        let current = try write { database in
            let id = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            let objects = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
            guard id == schema.applicationID || (id == 0 && version == 0 && objects == 0) else {
                throw refusal(.databaseForeign, "is not \(schema.title)")
            }
            guard version <= schema.migrations.count else {
                throw ZooError(
                    .databaseTooNew,
                    "'\(path ?? "memory")' has schema \(version), and this version of ami-zoo knows "
                        + "\(schema.migrations.count)",
                    remedy: "update ami-zoo"
                )
            }
            guard version < schema.migrations.count else { return version }
            for migration in schema.migrations[version...] { try database.execute(sql: migration) }
            // In the same transaction: a crash leaves the old schema or the new one.
            try database.execute(
                sql: """
                    PRAGMA application_id = \(schema.applicationID);
                    PRAGMA user_version = \(schema.migrations.count)
                    """
            )
            return version
        }
        guard current > 0, !schema.isDerived else { return }
        // An authority is examined once when it is opened: a wrong answer would be worse than none.
        let findings = try read { database in
            try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
        }
        guard findings == ["ok"] else {
            throw refusal(.databaseDamaged, "is damaged: \(findings.first ?? "")")
        }
    }

    // MARK: Errors

    private func refusal(_ code: ZooError.Code, _ what: String) -> ZooError {
        Self.refusal(code, path, schema, what)
    }

    private static func refusal(
        _ code: ZooError.Code,
        _ path: String?,
        _ schema: Schema,
        _ what: String
    ) -> ZooError {
        ZooError(
            code,
            "'\(path ?? "memory")' \(what)",
            remedy: schema.isDerived
                ? "remove the file; it is made again"
                : "restore the file from a backup, or move it away to start with an empty one"
        )
    }

    /// Runs `body`, again while another program keeps the database busy.
    ///
    /// The timeout of SQLite is not enough: the change to WAL, and the last connection that is closed
    /// while another is opened, fail at once (<https://sqlite.org/wal.html>, section 9).
    private static func translating<Result>(
        _ path: String?,
        _ schema: Schema,
        _ body: () throws -> Result
    ) throws(ZooError) -> Result {
        let end = ContinuousClock.now + .seconds(patience)
        while true {
            do {
                return try body()
            } catch let error as DatabaseError where isBusy(error) && ContinuousClock.now < end {
                usleep(20_000)
            } catch {
                throw translated(error, path, schema)
            }
        }
    }

    private static func isBusy(_ error: DatabaseError) -> Bool {
        [.SQLITE_BUSY, .SQLITE_LOCKED].contains(error.resultCode)
    }

    private static func translated(
        _ error: any Error,
        _ path: String?,
        _ schema: Schema
    ) -> ZooError {
        switch error {
        case let error as ZooError:
            return error
        case let error as DatabaseError where isBusy(error):
            return ZooError(
                .databaseBusy,
                "another program has been writing to '\(path ?? "memory")' for \(Int(patience)) s",
                remedy: "run the command again when that program is done",
                cause: error
            )
        case let error as DatabaseError:
            guard ![.SQLITE_NOTADB, .SQLITE_CORRUPT].contains(error.resultCode) else {
                return refusal(.databaseDamaged, path, schema, "is damaged: \(error.message ?? "")")
            }
            // Also a schema whose tables somebody changed.
            return ZooError(
                error.resultCode == .SQLITE_FULL ? .diskFull : .databaseFailed,
                "cannot use '\(path ?? "memory")': \(error.message ?? "\(error.resultCode)")",
                remedy: "check the free space and the permissions of its folder",
                cause: error
            )
        default:
            // A value of another type than the schema says.
            return refusal(.databaseDamaged, path, schema, "has unexpected content: \(error)")
        }
    }

    // MARK: File systems

    /// Checks that locks work beside a database.
    ///
    /// - Returns: whether the file system is local.
    private static func requireLocks(for path: String) throws(ZooError) -> Bool {
        let folder = FileSystem.parent(of: path)
        let probe = "\(folder)/.\(FileSystem.uniqueName()).tmp"
        let (first, second) = (try OpenFile(probe, .write), try OpenFile(probe, .write))
        let works = first.tryLock(.exclusive) && !second.tryLock(.exclusive)
        try FileSystem.remove(probe)
        guard works else {
            throw ZooError(
                .databaseWithoutLocks,
                "the file system of '\(folder)' does not support file locks, which a database needs",
                remedy: "choose a folder on a local file system, or mount it with locks (for NFS: "
                    + "without 'nolock')"
            )
        }
        return try !isRemote(folder)
    }

    /// Whether a folder is on a file system of another machine, as far as the list of mounts says it.
    private static func isRemote(_ folder: String) throws(ZooError) -> Bool {
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else { throw .system(errno, "examine", folder) }
        let device = "\(major(status.st_dev)):\(minor(status.st_dev))"
        for line in mounts().split(separator: "\n") {
            // 36 35 98:0 / /data rw,noatime master:1 - ext4 /dev/root rw
            let fields = line.split(separator: " ")
            guard fields.count > 2, fields[2] == device,
                let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
            else { continue }
            let type = fields[dash + 1]
            return ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs"].contains(type)
                || type.hasPrefix("fuse.")
        }
        return false
    }

    /// The list of mounts of Linux; empty where there is none.
    private static func mounts() -> String {
        let descriptor = unsafe open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var (text, part) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while text.count < 1 << 24 {
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            guard count > 0 else { break }
            text += part[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func major(_ device: dev_t) -> UInt64 {
        let device = UInt64(device)
        return (device >> 8 & 0xfff) | (device >> 32 & 0xffff_f000)
    }

    private static func minor(_ device: dev_t) -> UInt64 {
        let device = UInt64(device)
        return (device & 0xff) | (device >> 12 & 0xffff_ff00)
    }
}
