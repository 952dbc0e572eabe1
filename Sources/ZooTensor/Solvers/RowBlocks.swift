// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Rows of features that are read in groups, so that they may be more than fit into memory.
package struct RowBlocks: Sendable {
    /// The number of rows.
    package let count: Int
    /// The number of columns.
    package let columns: Int
    private let groups: [Range<Int>]
    private let read: @Sendable (_ group: Int) throws -> [Matrix]

    /// Describes rows that are read when they are needed.
    ///
    /// - Parameters:
    ///   - columns: the number of columns.
    ///   - groups: the rows of each group, which follow one another from 0. About 4,096 rows are a good size.
    ///   - read: reads a group as matrices [rows, columns] that follow one another; called again in each pass.
    package init(
        columns: Int,
        groups: [Range<Int>],
        read: @escaping @Sendable (_ group: Int) throws -> [Matrix]
    ) {
        count = groups.last?.upperBound ?? 0
        self.columns = columns
        self.groups = groups
        self.read = read
    }

    /// Rows in memory.
    ///
    /// - Parameters:
    ///   - matrix: [rows, columns].
    ///   - size: the number of rows of a group.
    package init(_ matrix: Matrix, size: Int = 4096) {
        let groups = stride(from: 0, to: matrix.rows, by: size).map {
            $0..<min($0 + size, matrix.rows)
        }
        self.init(columns: matrix.columns, groups: groups) { [matrix.rows(groups[$0])] }
    }

    /// Some of the rows, which are copied each time that they are read.
    ///
    /// - Parameter included: which rows; at least one.
    /// - Returns: these rows, in order.
    package func filtered(_ included: [Bool]) -> RowBlocks {
        precondition(included.count == count && included.contains(true), "\(included.count) rows")
        var (kept, found): ([(source: Int, rows: [Int])], [Range<Int>]) = ([], [])
        for (index, group) in groups.enumerated() {
            let rows = group.filter { included[$0] }.map { $0 - group.lowerBound }
            guard !rows.isEmpty else { continue }
            let start = found.last?.upperBound ?? 0
            kept.append((index, rows))
            found.append(start..<start + rows.count)
        }
        let (groups, columns) = (kept, columns)
        return RowBlocks(columns: columns, groups: found) { group in
            let (source, rows) = groups[group]
            let result = Matrix(rows: rows.count, columns: columns)
            var (first, place) = (0, 0)
            for matrix in try read(source) {
                while place < rows.count, rows[place] < first + matrix.rows {
                    let row = rows[place] - first
                    result.rows(place..<place + 1).copy(from: matrix.rows(row..<row + 1))
                    place += 1
                }
                first += matrix.rows
            }
            return [result]
        }
    }

    /// Calls `body` for each group in order.
    ///
    /// - Parameter body: is given the rows, as matrices with the number of the first row of each.
    /// - Throws: what reading or `body` throws.
    func forEachGroup(_ body: (_ rows: Range<Int>, _ parts: [Part]) throws -> Void) throws {
        for (index, rows) in groups.enumerated() {
            var first = rows.lowerBound
            var parts: [Part] = []
            for matrix in try read(index) {
                precondition(matrix.columns == columns, "\(matrix.columns) columns of \(columns)")
                // Small enough to divide among the threads.
                for start in stride(from: 0, to: matrix.rows, by: 512) {
                    let part = matrix.rows(start..<min(start + 512, matrix.rows))
                    parts.append(Part(first: first, matrix: part))
                    first += part.rows
                }
            }
            precondition(first == rows.upperBound, "a group of \(rows.count) rows")
            try body(rows, parts)
        }
    }

    /// Some rows that follow one another in memory.
    struct Part: Sendable {
        /// The number of the first row.
        let first: Int
        /// [rows, columns].
        let matrix: Matrix

        /// The numbers of the rows.
        var rows: Range<Int> { first..<first + matrix.rows }
    }
}

extension ComputeSession {
    /// Divides columns among the threads.
    func forEachColumns(
        _ count: Int,
        width: Int = 128,
        _ body: @Sendable (_ columns: Range<Int>, Scratch) -> Void
    ) {
        forEach((count + width - 1) / width) { index, scratch in
            body(index * width..<min((index + 1) * width, count), scratch)
        }
    }
}
