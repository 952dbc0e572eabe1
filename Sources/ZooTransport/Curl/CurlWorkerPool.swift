// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import Synchronization
import ZooCore

/// A bounded number of threads for blocking exchanges, started when first needed.
///
/// Each worker has its own handles and so its own connections, which stay open between exchanges.
/// The threads keep the pool alive until ``close()``, which joins them.
final class CurlWorkerPool: Sendable {
    /// A task and the continuation of its caller.
    private struct Entry {
        let task: ExchangeTask
        let continuation: CheckedContinuation<ExchangeOutcome, Never>

        func cancel() {
            let end = ExchangeEnd.aborted(CancellationError())
            continuation.resume(returning: ExchangeOutcome(machine: task.machine, end: end))
        }

        func fail(_ reason: String) {
            let end = ExchangeEnd.failed(.permanent(.libraryFailed, reason))
            continuation.resume(returning: ExchangeOutcome(machine: task.machine, end: end))
        }
    }

    private struct State {
        var queue: [Entry] = []
        var running: [ObjectIdentifier: CurlHandles] = [:]
        var idle: [CurlHandles] = []
        var threads: [JoinableThread] = []
        var isClosed = false
    }

    /// What a worker does next.
    private enum Assignment {
        case run(Entry)
        case sleep
        case end
    }

    /// The name of the threads.
    static let threadName = "ami-zoo.curl"

    private let limit: Int
    private let state = Mutex(State())

    /// Makes a pool of at most `limit` threads.
    init(limit: Int) { self.limit = max(1, limit) }

    /// Runs one exchange on a worker; ends early when the Swift task is cancelled.
    ///
    /// Once it has returned, the sink of the exchange is not called again.
    func run(_ task: ExchangeTask) async -> ExchangeOutcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { submit(Entry(task: task, continuation: $0)) }
        } onCancel: {
            cancel(task)
        }
    }

    /// Ends the threads and joins them; while no exchange is running, that takes a moment.
    func close() {
        let threads = state.withLock { state in
            state.isClosed = true
            state.idle.forEach { $0.wake() }
            defer { state.threads = [] }
            return state.threads
        }
        threads.forEach { $0.join() }
    }

    private func submit(_ entry: Entry) {
        state.withLock { state in
            // A cancellation that came first found no worker to wake; it only set the flag.
            if entry.task.isCancelled { return entry.cancel() }
            state.queue.append(entry)
            if let worker = state.idle.popLast() { return worker.wake() }
            guard state.threads.count < limit else { return }
            if let handles = CurlHandles(),
                let thread = JoinableThread(name: Self.threadName, { self.work(on: handles) })
            {
                state.threads.append(thread)
            } else if state.threads.isEmpty {
                state.queue.removeLast().fail("libcurl, or a thread for it, cannot be started")
            }
        }
    }

    private func cancel(_ task: ExchangeTask) {
        task.cancel()
        state.withLock { state in
            state.running[ObjectIdentifier(task)]?.wake()
            guard let index = state.queue.firstIndex(where: { $0.task === task }) else { return }
            state.queue.remove(at: index).cancel()
        }
    }

    // MARK: On the worker's thread

    private func work(on handles: CurlHandles) {
        _ = ccurl_block_broken_pipe_signal()
        while true {
            switch assignment(for: handles) {
            case .run(let entry): run(entry, on: handles)
            case .sleep: handles.sleep()
            case .end: return
            }
        }
    }

    private func assignment(for handles: CurlHandles) -> Assignment {
        state.withLock { state in
            // A late wake-up for an earlier exchange may end a sleep.
            state.idle.removeAll { $0 === handles }
            if !state.queue.isEmpty {
                let entry = state.queue.removeFirst()
                state.running[ObjectIdentifier(entry.task)] = handles
                return .run(entry)
            }
            guard !state.isClosed else { return .end }
            state.idle.append(handles)
            return .sleep
        }
    }

    private func run(_ entry: Entry, on handles: CurlHandles) {
        let outcome = CurlExchange(entry.task, on: handles).run()
        state.withLock { state in
            state.running[ObjectIdentifier(entry.task)] = nil
            // Idle before the caller resumes, so that its next exchange finds this worker and its
            // open connection instead of starting another.
            state.idle.append(handles)
        }
        entry.continuation.resume(returning: outcome)
    }
}
