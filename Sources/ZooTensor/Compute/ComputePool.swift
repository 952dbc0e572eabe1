// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels
internal import Synchronization

/// A fixed set of threads that computations run on, away from Swift's cooperative threads.
///
/// One computation runs at a time, and uses all threads of the pool; others wait in line. The
/// threads live as long as the pool.
public final class ComputePool: Sendable {
    /// The numbers of threads that a pool can be asked for.
    public static let threadRange = 1...1024

    /// The number of threads that share the work of a computation: as many as were asked for, or fewer
    /// when the system does not grant more.
    public let threads: Int
    /// Threads that a pool leaves to the rest of the process when the system grants no more: without one,
    /// Swift's own executor waits for many seconds.
    private static let spareThreads = 4

    private let jobs = Monitor(JobQueue())
    private let profile: Profile?
    /// Whether the system granted no thread at all, so that computations run on their callers'.
    private let isThreadless: Bool

    /// A pool with as many threads as this process may use processors.
    public static let shared = ComputePool(threads: availableProcessors)

    /// The number of processors this process may run on, at least 1.
    public static var availableProcessors: Int { Int(ami_available_processors()) }

    /// Starts a pool.
    ///
    /// - Parameters:
    ///   - threads: the number of threads, in ``threadRange``.
    ///   - profile: where to note what the computations spend their time on.
    public convenience init(threads: Int, profile: Profile? = nil) {
        self.init(threads: threads, profile: profile, starting: ComputeThread.start)
    }

    /// Starts a pool whose threads `start` starts; it returns false when the system grants no more.
    package init(
        threads wanted: Int,
        profile: Profile? = nil,
        starting start: (@escaping @Sendable () -> Void) -> Bool
    ) {
        precondition(Self.threadRange.contains(wanted), "a pool of \(wanted) threads")
        self.profile = profile
        let (jobs, handOver) = (jobs, Monitor<WorkerCrew?>(nil))
        var started = 0
        while started < wanted {
            let number = started
            let isStarted = start {
                // How many threads there are is known once no more are started.
                let crew = handOver.wait { $0 }
                guard number < crew.workers else { return }
                guard number == 0 else { return crew.help(number) }
                while let job = jobs.wait(for: { $0.next() }) { job(crew) }
                crew.dismiss()
            }
            guard isStarted else { break }
            started += 1
        }
        isThreadless = started == 0
        self.threads = started == wanted ? wanted : max(started - Self.spareThreads, 1)
        let crew = WorkerCrew(workers: self.threads)
        handOver.update { $0 = crew }
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
        guard !isThreadless else {
            return try Self.compute(body, cancellation, WorkerCrew(workers: 1), profile)
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                jobs.update { [profile] queue in
                    queue.waiting.append { crew in
                        let result = Swift.Result {
                            try Self.compute(body, cancellation, crew, profile)
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

extension ComputePool {
    private static func compute<Result>(
        _ body: (ComputeSession) throws -> Result,
        _ cancellation: CancellationFlag,
        _ crew: WorkerCrew,
        _ profile: Profile?
    ) throws -> Result {
        let session = ComputeSession(crew: crew, cancellation: cancellation)
        try session.checkCancellation()
        let result = try crew.lead(profile) { try body(session) }
        // Parts of it may have been left out.
        try session.checkCancellation()
        return result
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
