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

    /// Throws if the task that started the computation was cancelled.
    package func checkCancellation() throws {
        if cancellation.isRaised { throw CancellationError() }
    }

    /// Calls `body` once for each index below `count`, on all threads and in no particular order.
    ///
    /// Returns when all calls have returned. Calls must not nest, and must not write the same
    /// elements. After a cancellation, calls that have not begun are skipped, because the result is
    /// discarded.
    package func forEach(_ count: Int, _ body: @Sendable (_ index: Int, Scratch) -> Void) {
        crew.run(count) { index, scratch in
            if !cancellation.isRaised { body(index, scratch) }
        }
    }

    /// Divides the rows of every sample into panels and calls `body` for each panel in parallel.
    ///
    /// The rules of ``forEach(_:_:)`` apply to the calls.
    ///
    /// - Parameters:
    ///   - samples: the number of samples.
    ///   - rows: the number of rows of a sample.
    ///   - height: the maximum number of rows of a panel; panels are smaller if that gives every
    ///     thread the same number of panels.
    ///   - body: processes some rows of a sample.
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

    /// Rows that all threads read, in memory that the next computation of this pool reuses.
    ///
    /// - Parameters:
    ///   - slot: the purpose of the rows, which replace the previous content of the slot.
    ///   - rows: the number of rows.
    ///   - columns: the number of columns.
    /// - Returns: uninitialised rows.
    package func sharedRows(_ slot: Scratch.Slot, rows: Int, columns: Int) -> ProductRows {
        ProductRows(rows: rows, columns: columns, in: slot, of: crew.shared)
    }

    /// Divides the products of some rows with several weight matrices of equal shape.
    ///
    /// Each call of `body` covers some outputs, whose weights are then packed once for all of
    /// `rows`. If that left threads without work, the rows are divided too.
    ///
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - matrices: the number of matrices.
    ///   - outputs: the number of outputs of each matrix.
    ///   - unit: the number of outputs that must stay together; it divides `outputs`.
    ///   - body: processes some rows and some outputs of a matrix. Rows begin at whole tiles.
    package func forEachProduct(
        rows: Int,
        matrices: Int = 1,
        outputs: Int,
        unit: Int = 1,
        _ body:
            @Sendable (_ matrix: Int, _ rows: Range<Int>, _ outputs: Range<Int>, Scratch) -> Void
    ) {
        precondition(outputs.isMultiple(of: unit), "\(outputs) outputs in units of \(unit)")
        // A whole number of vectors if the unit allows it.
        let wanted = unit == 1 ? 128 : (128 + unit - 1) / unit * unit
        let chunks = (outputs + wanted - 1) / wanted
        let least = threads == 1 ? 1 : 3 * threads
        let bands = max(1, min((least + chunks * matrices - 1) / (chunks * matrices), rows / 96))
        let height = ((rows + bands - 1) / bands + 11) / 12 * 12
        forEach(matrices * chunks * bands) { index, scratch in
            let (place, band) = (index / bands, index % bands)
            let (matrix, chunk) = (place / chunks, place % chunks)
            let first = min(band * height, rows)
            let range = first..<min(first + height, rows)
            guard !range.isEmpty else { return }
            body(matrix, range, chunk * wanted..<min((chunk + 1) * wanted, outputs), scratch)
        }
    }
}
