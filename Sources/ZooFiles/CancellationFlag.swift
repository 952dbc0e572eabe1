// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// Carries a task's cancellation to a thread that is not part of the task.
package final class CancellationFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    /// A flag that is down.
    package init() {}

    /// Whether the task was cancelled.
    package var isRaised: Bool { raised.load(ordering: .relaxed) }

    /// Tells the thread to stop.
    package func raise() { raised.store(true, ordering: .relaxed) }
}
