// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// The threads of a pool: the leader calls ``run(_:_:)``, and its helpers call ``help(_:)``.
final class WorkerCrew: Sendable {
    typealias Body = @Sendable (Int, Scratch) -> Void

    let workers: Int
    private let scratches: [Scratch]
    /// Memory that the leader provides and all threads read.
    let shared = Scratch()
    private let round = Monitor(Round())
    private let nextIndex = Atomic(0)

    init(workers: Int) {
        self.workers = workers
        scratches = (0..<workers).map { _ in Scratch() }
    }

    /// Runs tasks as the worker `number`, from 1, until ``dismiss()``.
    func help(_ number: Int) { help(with: scratches[number]) }

    /// Ends the helpers.
    func dismiss() {
        round.update { $0.isOver = true }
    }

    /// Runs a computation as the leader and adds the work of all threads to `profile`.
    func lead<Result>(_ profile: Profile?, _ body: () throws -> Result) rethrows -> Result {
        guard let profile else { return try body() }
        for scratch in scratches { scratch.tally = Tally() }
        let start = ContinuousClock.now
        defer {
            let seconds = (ContinuousClock.now - start).inSeconds
            let tallies = scratches.compactMap(\.tally)
            for scratch in scratches { scratch.tally = nil }
            profile.add(tallies, threadSeconds: seconds * Double(workers))
        }
        return try body()
    }

    /// Divides the calls `body(0…count-1)` among all threads and returns when all have returned.
    func run(_ count: Int, _ body: Body) {
        guard workers > 1, count > 1 else {
            for index in 0..<count { body(index, scratches[0]) }
            return
        }
        // The closure does not outlive this call, because the last lines wait for every helper.
        withoutActuallyEscaping(body) { body in
            nextIndex.store(0, ordering: .relaxed)
            round.update { $0.begin(count: count, body: body, helpers: workers - 1) }
            work(count, body, scratches[0])
            round.wait { $0.busy == 0 ? () : nil }
            round.update { $0.body = nil }
        }
    }

    private func work(_ count: Int, _ body: Body, _ scratch: Scratch) {
        while true {
            let index = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index, scratch)
        }
    }

    private func help(with scratch: Scratch) {
        var done = 0
        while let number = takePart(after: done, scratch) {
            done = number
            round.update { $0.busy -= 1 }
        }
    }

    /// Works on the next round, and releases its closure before returning, as the leader requires.
    private func takePart(after done: Int, _ scratch: Scratch) -> Int? {
        guard let (number, count, body) = round.wait(for: { $0.task(after: done) }) else {
            return nil
        }
        work(count, body, scratch)
        return number
    }
}

/// One distribution of work among the helpers.
private struct Round {
    var number = 0
    var count = 0
    var body: WorkerCrew.Body?
    var busy = 0
    var isOver = false

    mutating func begin(count: Int, body: @escaping WorkerCrew.Body, helpers: Int) {
        number += 1
        self.count = count
        self.body = body
        busy = helpers
    }

    /// The work of a round after `done`, `.some(nil)` at the end, or nil to keep waiting.
    func task(after done: Int) -> (Int, Int, WorkerCrew.Body)?? {
        if isOver { return .some(nil) }
        guard number > done, let body else { return nil }
        return (number, count, body)
    }
}
