// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// Tells work on a thread of its own that the task which waits for it was cancelled.
///
/// `Task.checkCancellation()` says nothing there: the thread is not part of the task.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// A cancellation that has not happened.
    package init() {}

    /// Whether the task was cancelled.
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Cancels the work.
    package func cancel() { flag.store(true, ordering: .relaxed) }

    /// Ends the work when the task was cancelled.
    ///
    /// - Throws: `CancellationError`.
    package func check() throws(CancellationError) {
        if isCancelled { throw CancellationError() }
    }
}
