// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// A database is damaged.
    package static let databaseDamaged = Self("database.damaged", .badData)
    /// A file is a database of another program, or of another kind.
    package static let databaseForeign = Self("database.foreign", .badData)
    /// A database was written by a newer program.
    package static let databaseTooNew = Self("database.too-new", .badData)
    /// Another program holds the database for too long.
    package static let databaseBusy = Self("database.busy", .inputOutput)
    /// SQLite reports a failure: disk full, no permission, read error.
    package static let databaseFailed = Self("database.failed", .inputOutput)
    /// The file system of a database has no locks.
    package static let databaseWithoutLocks = Self("database.locks-unavailable", .inputOutput)
}
