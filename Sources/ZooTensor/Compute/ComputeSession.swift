// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A computation's access to the threads of its pool; valid until the computation ends.
package struct ComputeSession: Sendable {
    private let crew: WorkerCrew
    private let cancellation: CancellationFlag

    init(crew: WorkerCrew, cancellation: CancellationFlag) {
        self.crew = crew
        self.cancellation = cancellation
    }

    /// The number of threads that ``forEach(_:_:)`` divides work among.
    package var threads: Int { crew.workers }

    /// Stops the computation when the task that asked for it was cancelled.
    package func checkCancellation() throws {
        if cancellation.isRaised { throw CancellationError() }
    }

    /// Calls `body` once for each index below `count`, on all threads and in no particular order.
    ///
    /// Returns when all calls have. Calls must not nest, and must not write the same elements.
    package func forEach(_ count: Int, _ body: @Sendable (_ index: Int, Scratch) -> Void) {
        crew.run(count, body)
    }

    /// Divides the rows of every sample into panels and calls `body` for each, as
    /// ``forEach(_:_:)`` does.
    ///
    /// - Parameters:
    ///   - samples: the number of samples.
    ///   - rows: the number of rows of a sample.
    ///   - height: the greatest number of rows of a panel; panels are lower where that gives every
    ///     thread the same number of them.
    ///   - body: what to do with some rows of a sample.
    package func forEachPanel(
        samples: Int,
        rows: Int,
        height: Int,
        _ body: @Sendable (_ sample: Int, _ rows: Range<Int>, Scratch) -> Void
    ) {
        let needed = (rows + height - 1) / height
        let panels = min(rows, (needed + threads - 1) / threads * threads)
        forEach(samples * panels) { index, scratch in
            let panel = index % panels
            body(index / panels, rows * panel / panels..<rows * (panel + 1) / panels, scratch)
        }
    }
}
