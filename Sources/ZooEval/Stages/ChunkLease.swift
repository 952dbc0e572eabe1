// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooFiles

/// The folders of stored results that a run uses, so that `cache gc` leaves them alone until the run ends.
final class ChunkLease: Sendable {
    private let held = Mutex<[String: FolderLease]>([:])

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
        guard held.withLock({ $0[folder] == nil }),
            creating || (try? FileSystem.status("\(folder).lock")) ?? nil != nil,
            let lease = try FolderLease.hold(folder, cancellation)
        else { return }
        held.withLock { $0[folder] = lease }
    }
}
