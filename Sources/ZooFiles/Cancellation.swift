// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// Tells work on a separate thread that the task that waits for it was cancelled.
///
/// `Task.checkCancellation()` does not work there, because the thread is not part of the task.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Creates a cancellation that is not yet triggered.
    package init() {}

    /// Whether the task was cancelled.
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Cancels the work.
    package func cancel() { flag.store(true, ordering: .relaxed) }

    /// Throws if the task was cancelled.
    ///
    /// - Throws: `CancellationError`.
    package func check() throws(CancellationError) {
        if isCancelled { throw CancellationError() }
    }
}
