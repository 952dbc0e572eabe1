// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// The rows of a set that are nearest to queries, by the cosine.
package struct NearestRows: Sendable {
    /// A neighbour of a query.
    package struct Neighbour: Sendable, Equatable {
        /// The number of the row.
        package let row: Int
        /// The cosine of the angle between them; 0 where either is all zeros.
        package let cosine: Float
    }

    private let rows: RowBlocks
    private let norms: [Float]

    /// Prepares a set, in one pass over its rows.
    ///
    /// - Throws: what reading throws; `CancellationError`.
    package init(_ rows: RowBlocks, in session: ComputeSession) throws {
        self.rows = rows
        var norms: [Float] = []
        norms.reserveCapacity(rows.count)
        try rows.forEachGroup { _, parts in
            try session.checkCancellation()
            for part in parts { norms += Self.norms(part.matrix) }
        }
        self.norms = norms
    }

    private static func norms(_ matrix: Matrix) -> [Float] {
        (0..<matrix.rows).map { row in
            var sum = 0.0
            let values = unsafe matrix.base + row * matrix.stride
            for column in 0..<matrix.columns {
                let value = unsafe Double(values[column])
                sum += value * value
            }
            return Float(sum.squareRoot())
        }
    }

    /// Finds the nearest rows of each query.
    ///
    /// - Parameters:
    ///   - queries: [queries, columns]; each group is a pass over the rows.
    ///   - count: how many, at most the number of rows.
    ///   - session: the computation.
    ///   - body: is given the neighbours of each query in order, nearest first; of equally near rows the first is
    ///     nearer.
    /// - Throws: what reading throws; `CancellationError`.
    package func forEachQuery(
        _ queries: RowBlocks,
        count: Int,
        in session: ComputeSession,
        _ body: ([Neighbour]) -> Void
    ) throws {
        precondition((1...max(rows.count, 1)).contains(count) && queries.columns == rows.columns)
        try queries.forEachGroup { range, parts in
            let group = Matrix(rows: range.count, columns: queries.columns)
            for part in parts {
                let first = part.first - range.lowerBound
                group.rows(first..<first + part.matrix.rows).copy(from: part.matrix)
            }
            let found = Candidates(queries: range.count, count: count)
            try add(group, to: found, session)
            let lengths = Self.norms(group)
            for query in 0..<range.count {
                body(found.neighbours(of: query, length: lengths[query]))
            }
        }
    }

    private func add(
        _ queries: Matrix,
        to found: Candidates,
        _ session: ComputeSession
    ) throws {
        let height = 64
        let panels = (queries.rows + height - 1) / height
        try rows.forEachGroup { _, parts in
            try session.checkCancellation()
            session.forEach(panels) { panel, scratch in
                let range = panel * height..<min((panel + 1) * height, queries.rows)
                for part in parts {
                    let products = scratch.matrix(
                        .scores,
                        rows: range.count,
                        columns: part.matrix.rows
                    )
                    MatrixProduct.multiply(
                        queries.rows(range),
                        transposed: part.matrix,
                        into: products
                    )
                    let lengths = Array(norms[part.rows])
                    for query in range {
                        found.add(
                            products.rows(
                                query - range.lowerBound..<query - range.lowerBound + 1
                            ),
                            lengths,
                            first: part.first,
                            to: query
                        )
                    }
                }
            }
        }
        try session.checkCancellation()
    }
}

/// The nearest rows so far of each query.
///
/// Sendable without a lock: each query is changed by one thread at a time.
@safe
private final class Candidates: @unchecked Sendable {
    private let count: Int
    private let found: UnsafeMutableBufferPointer<Int>
    private let products: UnsafeMutableBufferPointer<Float>
    private let rows: UnsafeMutableBufferPointer<Int64>

    init(queries: Int, count: Int) {
        self.count = count
        unsafe found = .allocate(capacity: queries)
        unsafe found.initialize(repeating: 0)
        unsafe products = .allocate(capacity: queries * count)
        unsafe products.initialize(repeating: 0)
        unsafe rows = .allocate(capacity: queries * count)
        unsafe rows.initialize(repeating: 0)
    }

    deinit {
        unsafe found.deallocate()
        unsafe products.deallocate()
        unsafe rows.deallocate()
    }

    func add(_ candidates: Matrix, _ norms: [Float], first: Int, to query: Int) {
        guard let nearest = unsafe products.baseAddress, let indices = unsafe rows.baseAddress
        else { return }
        unsafe found[query] = ami_keep_nearest(
            candidates.base,
            norms,
            candidates.columns,
            Int64(first),
            count,
            nearest + query * count,
            indices + query * count,
            found[query]
        )
    }

    func neighbours(of query: Int, length: Float) -> [NearestRows.Neighbour] {
        unsafe (query * count..<query * count + found[query]).map { place in
            unsafe NearestRows.Neighbour(
                row: Int(rows[place]),
                cosine: length > 0 ? products[place] / length : 0
            )
        }
    }
}
