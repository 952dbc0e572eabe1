// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooTensor

@Suite struct ComputePoolTests {
    @Test(arguments: [1, 2, 5])
    func everyIndexIsVisitedOnceInManyRounds(threads: Int) async throws {
        let visits = try await ComputePool(threads: threads).run { session in
            let table = Matrix(rows: 2000, columns: 7)
            for round in 0..<2000 {
                session.forEach(7) { index, _ in table[round, index] += Float(index + 1) }
            }
            return table
        }
        for round in 0..<2000 {
            for index in 0..<7 { #expect(visits[round, index] == Float(index + 1)) }
        }
    }

    @Test(arguments: [(1, 1), (5, 2), (256, 256), (1000, 256)])
    func panelsTileTheRows(rows: Int, height: Int) async throws {
        let counts = try await ComputePool(threads: 2).run { session in
            let counts = Matrix(rows: 3, columns: rows)
            session.forEachPanel(samples: 3, rows: rows, height: height) { sample, range, _ in
                for row in range { counts[sample, row] += 1 }
            }
            return counts
        }
        for sample in 0..<3 {
            for row in 0..<rows { #expect(counts[sample, row] == 1) }
        }
    }

    @Test func computationsWaitForEachOther() async throws {
        let pool = ComputePool(threads: 2)
        let running = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await pool.run { _ in
                        #expect(running.value.add(1, ordering: .relaxed).newValue == 1)
                        running.value.subtract(1, ordering: .relaxed)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func whatAComputationThrowsReachesItsCaller() async {
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await ComputePool(threads: 1).run { _ in throw Failure() }
        }
    }

    @Test func aCancelledTaskStopsItsComputation() async {
        let pool = ComputePool(threads: 2)
        let task = Task {
            try await pool.run { session in
                while true { try session.checkCancellation() }
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    /// A layer of a large model is one round of work that takes seconds.
    @Test func whatHasNotBegunIsLeftOutOnceATaskIsCancelled() async {
        let (pool, begun) = (ComputePool(threads: 2), Counter())
        let task = Task {
            try await pool.run { session in
                session.forEach(1000) { _, _ in
                    begun.value.add(1, ordering: .relaxed)
                    while begun.mayGoOn.load(ordering: .acquiring) == false {}
                }
                return begun.value.load(ordering: .relaxed)
            }
        }
        while begun.value.load(ordering: .relaxed) < 2 { await Task.yield() }
        task.cancel()
        begun.mayGoOn.store(true, ordering: .releasing)
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(begun.value.load(ordering: .relaxed) == 2)
    }

    /// A process may be granted fewer threads than it asks for, down to none.
    @Test(arguments: [(0, 1), (1, 1), (4, 1), (5, 1), (6, 2), (7, 3), (8, 8)])
    func aPoolWorksWithTheThreadsItGets(granted: Int, kept: Int) async throws {
        let started = Counter()
        let pool = ComputePool(threads: 8) { body in
            guard started.value.load(ordering: .relaxed) < granted else { return false }
            started.value.add(1, ordering: .relaxed)
            Thread.detachNewThread(body)
            return true
        }
        // Some of those that are granted are left to the rest of the process.
        #expect(pool.threads == kept)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await pool.run { session in
                        let sum = Counter()
                        session.forEach(1000) { index, _ in
                            sum.value.add(index, ordering: .relaxed)
                        }
                        return sum.value.load(ordering: .relaxed)
                    }
                }
            }
            for try await sum in group { #expect(sum == 499_500) }
        }
    }

    @Test func theLargestPoolComputes() async throws {
        let pool = ComputePool(threads: ComputePool.threadRange.upperBound)
        let count = try await pool.run { session in
            let visits = Counter()
            session.forEach(5000) { _, _ in visits.value.add(1, ordering: .relaxed) }
            return visits.value.load(ordering: .relaxed)
        }
        #expect(count == 5000)
    }

    @Test func aPoolMayHaveMoreThreadsThanProcessors() async throws {
        let sum = Counter()
        try await ComputePool(threads: 16).run { session in
            session.forEach(1000) { index, _ in sum.value.add(index, ordering: .relaxed) }
        }
        #expect(sum.value.load(ordering: .relaxed) == 499_500)
    }
}

final class Counter: Sendable {
    let value = Atomic(0)
    let mayGoOn = Atomic(false)
}
