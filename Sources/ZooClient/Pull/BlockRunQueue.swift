// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// The runs of blocks that the streams of a pull fetch, in any order.
///
/// When none is left, a stream takes one that another stream has had for too long, so that a slow source
/// cannot delay the end of a pull. Both may then write the same verified bytes to the same place.
final class BlockRunQueue: Sendable {
    /// A run that a stream works on.
    struct Job: Sendable {
        fileprivate let id: Int
        /// The blocks.
        let blocks: Range<Int>
    }

    private struct Underway {
        let blocks: Range<Int>
        let start: ContinuousClock.Instant
        var streams = 1
    }

    private struct State {
        var waiting: [Range<Int>]
        var underway: [Int: Underway] = [:]
        var jobs = 0
        var finished: (count: Int, time: Duration) = (0, .zero)
        var leaving = 0
    }

    /// How long a run takes at least before another stream takes it as well.
    private static let patience: Duration = .seconds(2)

    private let state: Mutex<State>

    /// Creates a queue; the first run is taken first.
    init(_ runs: [Range<Int>]) { state = Mutex(State(waiting: runs.reversed())) }

    /// Whether every run was finished.
    var isFinished: Bool { state.withLock { $0.waiting.isEmpty && $0.underway.isEmpty } }

    /// Takes a run, and waits while the only ones left are with other streams.
    ///
    /// - Returns: the run; nil when all are finished, or this stream is one too many.
    /// - Throws: `CancellationError`.
    func next() async throws -> Job? {
        while true {
            let (job, isOver) = state.withLock { state in
                if state.leaving > 0 {
                    state.leaving -= 1
                    return (nil as Job?, true)
                }
                return (Self.take(&state), state.waiting.isEmpty && state.underway.isEmpty)
            }
            if job != nil || isOver { return job }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func take(_ state: inout State) -> Job? {
        if let blocks = state.waiting.popLast() {
            let id = state.jobs
            state.jobs += 1
            state.underway[id] = Underway(blocks: blocks, start: .now)
            return Job(id: id, blocks: blocks)
        }
        let usual = state.finished.time / max(1, state.finished.count)
        let slowest = state.underway.filter { $0.value.streams == 1 }
            .min { $0.value.start < $1.value.start }
        guard let (id, run) = slowest,
            ContinuousClock.now - run.start > max(patience, usual * 3)
        else { return nil }
        state.underway[id]?.streams += 1
        return Job(id: id, blocks: run.blocks)
    }

    /// Records that the blocks of a run are in place.
    func finish(_ job: Job) {
        state.withLock { state in
            guard let run = state.underway.removeValue(forKey: job.id) else { return }
            state.finished.count += 1
            state.finished.time += ContinuousClock.now - run.start
        }
    }

    /// Returns a run that a stream could not finish.
    func giveBack(_ job: Job) {
        state.withLock { state in
            guard let run = state.underway[job.id] else { return }
            if run.streams > 1 {
                state.underway[job.id]?.streams -= 1
            } else {
                state.underway[job.id] = nil
                state.waiting.append(run.blocks)
            }
        }
    }

    /// Ends so many streams as soon as they have finished their runs.
    func dismiss(_ streams: Int) { state.withLock { $0.leaving += streams } }
}
