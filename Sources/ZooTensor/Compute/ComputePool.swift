// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels
internal import Synchronization

/// A fixed set of threads for computations, separate from Swift's cooperative threads.
///
/// One computation runs at a time and uses all threads of the pool; others wait in a queue. The
/// threads exist as long as the pool.
public final class ComputePool: Sendable {
    /// The valid numbers of threads.
    public static let threadRange = 1...1024

    /// The number of threads that share the work of a computation.
    ///
    /// It is less than the requested number if the system cannot start more threads.
    public let threads: Int
    /// The number of threads that a pool leaves to the process if the system limits their number.
    ///
    /// Without a spare thread, Swift's own executor waits for many seconds.
    private static let spareThreads = 4

    private let jobs = Monitor(JobQueue())
    private let profile: Profile?
    /// Whether the system started no thread, so that computations run on their callers' threads.
    private let isThreadless: Bool

    /// A pool with one thread for each processor that this process may use.
    public static let shared = ComputePool(threads: availableProcessors)

    /// The number of processors this process may run on, at least 1.
    public static var availableProcessors: Int { Int(ami_available_processors()) }

    /// Starts a pool.
    ///
    /// - Parameters:
    ///   - threads: the number of threads, in ``threadRange``.
    ///   - profile: records where the computations spend their time.
    public convenience init(threads: Int, profile: Profile? = nil) {
        self.init(threads: threads, profile: profile, starting: ComputeThread.start)
    }

    /// Starts a pool with the closure `start`, which returns false if it cannot start a thread.
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
                // The number of threads is known only after all have been started.
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
    /// - Throws: what `body` throws; `CancellationError` if the task is cancelled while it waits or
    ///   while `body` runs.
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
        // After a cancellation, parts of the computation may have been skipped.
        try session.checkCancellation()
        return result
    }
}

/// A FIFO queue of computations.
private struct JobQueue {
    typealias Job = @Sendable (WorkerCrew) -> Void

    var waiting: [Job] = []
    var isClosed = false

    /// The next computation, `.some(nil)` at the end of the queue, or nil to keep waiting.
    mutating func next() -> Job?? {
        if !waiting.isEmpty { return .some(waiting.removeFirst()) }
        return isClosed ? .some(nil) : nil
    }
}

/// A flag that any thread can set to cancel a computation.
final class CancellationFlag: Sendable {
    private let raised = Atomic(false)

    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}
