// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Dispatch
internal import Synchronization

/// Runs calls that block (disk, compression, hashing) on threads of their own, so that the
/// cooperative pool of Swift concurrency never waits for a device.
package enum BlockingWork {
    private static let queue = DispatchQueue(
        label: "ami-zoo.blocking",
        qos: .userInitiated,
        attributes: .concurrent
    )

    /// Runs `work` on a thread that may block and waits for it without blocking.
    package static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }

    /// Runs `work` as ``run(_:)`` does; when the task is cancelled, its end is not waited for.
    ///
    /// For work that only reads, such as the weights of a model: what it finds is then thrown away.
    package static func read<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        let waiting = Mutex<CheckedContinuation<Result, any Error>?>(nil)
        /// Whoever comes first answers.
        @Sendable func answer(_ result: Swift.Result<Result, any Error>) {
            waiting.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }?.resume(with: result)
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting.withLock { $0 = continuation }
                // A cancellation that came before found nobody waiting.
                if Task.isCancelled { return answer(.failure(CancellationError())) }
                queue.async { answer(Swift.Result(catching: work)) }
            }
        } onCancel: {
            answer(.failure(CancellationError()))
        }
    }
}
