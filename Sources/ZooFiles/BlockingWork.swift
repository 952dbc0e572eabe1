// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs calls that block (disk, compression, hashing) on threads of their own, so that the
/// cooperative pool of Swift concurrency never waits for a device.
package enum BlockingWork {
    private static let queue = DispatchQueue(
        label: "ami-zoo.blocking",
        qos: .userInitiated,
        attributes: .concurrent
    )

    /// How many threads can hash or compress at the same time: the processors of this machine.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// What happens to work whose task is cancelled.
    package enum CancelledWork: Sendable {
        /// The caller waits until the work has noticed and has ended: for work that writes.
        case awaited
        /// The caller goes on at once, and the result is thrown away: for work that only reads and
        /// cannot be interrupted, such as loading the weights of a model.
        case abandoned
    }

    /// Runs `work` on a thread that may block and waits for it without blocking.
    ///
    /// - Parameters:
    ///   - cancelled: what happens to the work when the task is cancelled.
    ///   - work: work that takes long checks the cancellation that it is given between its steps.
    /// - Returns: what `work` returns.
    /// - Throws: what `work` throws; `CancellationError` when the task was cancelled before it
    ///   began, or while abandoned work ran.
    package static func run<Result: Sendable>(
        whenCancelled cancelled: CancelledWork = .awaited,
        _ work: @escaping @Sendable (Cancellation) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let cancellation = Cancellation()
        let waiter = Waiter<Result>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                // A cancellation that came before found nobody waiting.
                if cancelled == .abandoned, cancellation.isCancelled {
                    return waiter.resume(.failure(CancellationError()))
                }
                queue.async {
                    waiter.resume(Swift.Result { try work(cancellation) })
                }
            }
        } onCancel: {
            cancellation.cancel()
            if cancelled == .abandoned { waiter.resume(.failure(CancellationError())) }
        }
    }

    /// A continuation that the first of two answers resumes.
    private final class Waiter<Result: Sendable>: Sendable {
        private let continuation = Mutex<CheckedContinuation<Result, any Error>?>(nil)

        func wait(_ continuation: CheckedContinuation<Result, any Error>) {
            self.continuation.withLock { $0 = continuation }
        }

        func resume(_ result: Swift.Result<Result, any Error>) {
            continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }?.resume(with: result)
        }
    }
}
