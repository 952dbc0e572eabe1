// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs blocking calls (disk, compression, hashing) on separate threads.
///
/// The cooperative pool of Swift concurrency therefore never waits for a device.
package enum BlockingWork {
    private static let queue = DispatchQueue(
        label: "ami-zoo.blocking",
        qos: .userInitiated,
        attributes: .concurrent
    )

    /// The number of threads that can hash or compress at the same time: the online processors.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// What happens to the work if its task is cancelled.
    package enum CancelledWork: Sendable {
        /// The caller waits until the work has stopped; for work that writes.
        case awaited
        /// The caller continues immediately, and the result is discarded.
        ///
        /// For work that only reads and cannot be interrupted, such as loading a model's weights.
        case abandoned
    }

    /// Runs `work` on a thread that may block, and suspends the caller until it ends.
    ///
    /// - Parameters:
    ///   - cancelled: what happens to the work if the task is cancelled.
    ///   - work: the work; long work checks the given cancellation between its steps.
    /// - Returns: what `work` returns.
    /// - Throws: what `work` throws; `CancellationError` if the task was cancelled before the work
    ///   began or while abandoned work ran.
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
                // A cancellation before this point had no continuation to resume.
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

    /// A continuation that the first of two results resumes.
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
