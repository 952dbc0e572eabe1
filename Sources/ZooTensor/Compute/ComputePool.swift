// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels
internal import Synchronization

/// A fixed set of threads that computations run on, away from Swift's cooperative threads.
///
/// One computation runs at a time, and uses all threads of the pool; others wait in line. The
/// threads live as long as the pool.
public final class ComputePool: Sendable {
    /// The number of threads that share the work of a computation.
    public let threads: Int
    private let jobs = Monitor(JobQueue())
    private let profile: Profile?

    /// A pool with as many threads as this process may use processors.
    public static let shared = ComputePool(threads: availableProcessors)

    /// The number of processors this process may run on, at least 1.
    public static var availableProcessors: Int { Int(ami_available_processors()) }

    /// Starts a pool of `threads` threads, at least one.
    ///
    /// - Parameters:
    ///   - threads: the number of threads.
    ///   - profile: where to note what the computations spend their time on.
    public init(threads: Int, profile: Profile? = nil) {
        precondition(threads >= 1, "a pool needs a thread")
        self.threads = threads
        self.profile = profile
        let crew = WorkerCrew(workers: threads)
        let jobs = jobs
        ComputeThread.start {
            while let job = jobs.wait(for: { $0.next() }) { job(crew) }
            crew.dismiss()
        }
    }

    deinit {
        jobs.update { $0.isClosed = true }
    }

    /// Runs a computation on the pool and waits for it without blocking the calling task's thread.
    ///
    /// - Parameter body: the computation; it runs on one thread of the pool and shares work with
    ///   the others through the session it is given.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws; `CancellationError` when the task is cancelled before its turn
    ///   or `body` notices it.
    package func run<Result: Sendable>(
        _ body: @escaping @Sendable (ComputeSession) throws -> Result
    ) async throws -> Result {
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                jobs.update { [profile] queue in
                    queue.waiting.append { crew in
                        let session = ComputeSession(crew: crew, cancellation: cancellation)
                        let result = Swift.Result {
                            try session.checkCancellation()
                            let result = try crew.lead(profile) { try body(session) }
                            // Parts of it may have been left out.
                            try session.checkCancellation()
                            return result
                        }
                        continuation.resume(with: result)
                    }
                }
            }
        } onCancel: {
            cancellation.raise()
        }
    }
}

/// Computations in the order they came.
private struct JobQueue {
    typealias Job = @Sendable (WorkerCrew) -> Void

    var waiting: [Job] = []
    var isClosed = false

    /// The next computation, `.some(nil)` when there will be none any more, or nil to wait on.
    mutating func next() -> Job?? {
        if !waiting.isEmpty { return .some(waiting.removeFirst()) }
        return isClosed ? .some(nil) : nil
    }
}

/// Says from any thread that a computation is no longer wanted.
final class CancellationFlag: Sendable {
    private let raised = Atomic(false)

    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}
