// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooFiles

/// The folders of stored results that a run uses, so that `cache gc` leaves them alone until the run ends.
///
/// A lease is a shared lock of `<key>.lock` beside the folder; its time says when the folder was last used.
/// Collection needs the lock for itself.
final class ChunkLease: Sendable {
    private let held = Mutex<[String: OpenFile]>([:])

    /// Holds a folder; waits while collection removes it.
    ///
    /// A folder that this user cannot write to is not held: nothing can be removed from it, and storing a result
    /// reports why.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: the folder of a stage.
    ///   - creating: whether to create the lock; otherwise a folder without one, such as a copy from another
    ///     machine, is not held.
    ///   - cancellation: ends the wait.
    /// - Throws: `CancellationError`.
    func hold(
        _ folder: String,
        creating: Bool,
        _ cancellation: Cancellation
    ) throws(CancellationError) {
        let path = "\(folder).lock"
        guard held.withLock({ $0[folder] == nil }),
            creating || (try? FileSystem.status(path)) ?? nil != nil
        else { return }
        if creating { try? FileSystem.createFolder(FileSystem.parent(of: folder)) }
        while let lock = try? OpenFile(path, .write) {
            try cancellation.check()
            // Whoever removed the file did so under its lock, which excludes nobody any more.
            if lock.tryLock(.shared), lock.isAtPath() {
                try? lock.touch()
                held.withLock { $0[folder] = lock }
                return
            }
            FileSystem.pause(milliseconds: 20)
        }
    }
}
