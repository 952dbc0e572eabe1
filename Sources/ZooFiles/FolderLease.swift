// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A folder of the store that a running command uses, so that `cache gc` leaves it alone until the lease ends.
///
/// A lease is a shared lock of `<folder>.lock`; its time says when the folder was last used. Collection needs the lock
/// for itself. The lease ends with the last reference to it, and with the process.
package final class FolderLease: Sendable {
    private let folder: String
    private let lock: OpenFile

    private init(_ folder: String, _ lock: OpenFile) {
        self.folder = folder
        self.lock = lock
    }

    /// Holds a folder, which need not exist yet; waits while collection removes it.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - cancellation: ends the wait.
    /// - Returns: the lease; nil if this user cannot write beside the folder. Then nothing can be removed from it, and
    ///   writing to it reports why.
    /// - Throws: `CancellationError`.
    package static func hold(
        _ folder: String,
        _ cancellation: Cancellation
    ) throws(CancellationError) -> FolderLease? {
        try? FileSystem.createFolder(FileSystem.parent(of: folder))
        while let lock = try? OpenFile("\(folder).lock", .write) {
            try cancellation.check()
            // Whoever removed the file did so under its lock, which excludes nobody any more.
            if lock.tryLock(.shared), lock.isAtPath() {
                try? lock.touch()
                return FolderLease(folder, lock)
            }
            FileSystem.pause(milliseconds: 20)
        }
        return nil
    }

    /// Ends the lease, and removes its lock unless another command holds the folder too.
    ///
    /// - Parameter removesFolder: whether to remove the folder with its content as well.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func end(removingFolder removesFolder: Bool = false) throws(ZooError) {
        guard lock.tryLock(.exclusive), lock.isAtPath() else { return lock.unlock() }
        if removesFolder { try FileSystem.remove(folder) }
        try FileSystem.remove("\(folder).lock")
        lock.unlock()
    }
}
