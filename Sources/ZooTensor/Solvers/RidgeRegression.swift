// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import COpenBLAS

/// Least squares with a penalty on the weights, in closed form.
///
/// Minimises Σ (y − ŷ)² + penalty · ‖w‖² over standardised features; intercepts are not penalised. As `Ridge` of
/// scikit-learn after its `StandardScaler`.
package struct RidgeRegression: Sendable {
    private let features: Standardisation
    /// Xᵀ X of the standardised features, lower triangle.
    private let gram: DoubleMatrix
    /// Xᵀ y for each target, [targets, columns].
    private let products: DoubleMatrix
    /// The mean of each target.
    private let means: [Double]

    /// Prepares all penalties in one pass over the rows, after two for their statistics.
    ///
    /// - Parameters:
    ///   - rows: features, [rows, columns].
    ///   - targets: [targets][rows].
    ///   - included: which rows count; at least one does.
    ///   - session: the computation.
    /// - Throws: what reading throws; `CancellationError`.
    package init(
        _ rows: RowBlocks,
        targets: [[Double]],
        included: [Bool],
        in session: ComputeSession
    ) throws {
        features = try Standardisation(rows, included: included, in: session)
        let count = Double(included.count { $0 })
        means = targets.map { target in
            zip(target, included).reduce(0) { $1.1 ? $0 + $1.0 : $0 } / count
        }
        gram = DoubleMatrix(rows: rows.columns, columns: rows.columns)
        products = DoubleMatrix(rows: targets.count, columns: rows.columns)
        try addProducts(rows, targets, included, session)
    }

    private func addProducts(
        _ rows: RowBlocks,
        _ targets: [[Double]],
        _ included: [Bool],
        _ session: ComputeSession
    ) throws {
        let size = 256
        let tiles = (rows.columns + size - 1) / size
        // The tiles of the lower triangle.
        let places = (0..<tiles).flatMap { row in (0...row).map { (row, $0) } }
        var standardised = Matrix(rows: 0, columns: rows.columns)
        try rows.forEachGroup { range, parts in
            try session.checkCancellation()
            if standardised.rows < range.count {
                standardised = Matrix(rows: range.count, columns: rows.columns)
            }
            let group = standardised.rows(0..<range.count)
            session.forEach(parts.count) { [features] index, _ in
                let part = parts[index]
                let first = part.first - range.lowerBound
                features.apply(
                    to: part.matrix,
                    included: Array(included[part.rows]),
                    into: group.rows(first..<first + part.matrix.rows)
                )
            }
            let centred = Matrix(rows: range.count, columns: targets.count)
            for (target, values) in targets.enumerated() {
                for row in range where included[row] {
                    centred[row - range.lowerBound, target] = Float(values[row] - means[target])
                }
            }
            @Sendable func columns(_ tile: Int) -> Matrix {
                group.columns(tile * size..<min((tile + 1) * size, rows.columns))
            }
            session.forEach(places.count) { [gram] index, scratch in
                let (row, column) = places[index]
                let (left, right) = (columns(row), columns(column))
                let tile = scratch.matrix(.scores, rows: left.columns, columns: right.columns)
                MatrixProduct.multiply(transposing: left, right, into: tile, accumulating: false)
                gram.add(tile, row: row * size, column: column * size)
            }
            session.forEach(tiles) { [products] index, scratch in
                let right = columns(index)
                let tile = scratch.matrix(.scores, rows: targets.count, columns: right.columns)
                MatrixProduct.multiply(
                    transposing: centred,
                    right,
                    into: tile,
                    accumulating: false
                )
                products.add(tile, row: 0, column: index * size)
            }
        }
    }

    /// The function that minimises the sum.
    ///
    /// - Parameter penalty: above 0.
    /// - Returns: the function; nil when LAPACK finds no Cholesky factor, because a number is not finite.
    package func model(penalty: Double) -> LinearModel? {
        precondition(penalty > 0, "a penalty of \(penalty)")
        precondition(MatrixProduct.isSingleThreaded)
        let order = gram.rows
        var factor = [Double](repeating: 0, count: order * order)
        for row in 0..<order {
            for column in 0...row { factor[row * order + column] = gram[row, column] }
            factor[row * order + row] += penalty
        }
        var weights = (0..<products.rows).flatMap { row in
            (0..<order).map { products[row, $0] }
        }
        // The lower triangle in rows is the upper one in LAPACK's columns.
        var triangle = CChar(UInt8(ascii: "U"))
        var (size, count, info) = (Int32(order), Int32(products.rows), Int32(0))
        unsafe dpotrf_(&triangle, &size, &factor, &size, &info)
        guard info == 0 else { return nil }
        unsafe dpotrs_(&triangle, &size, &count, factor, &size, &weights, &size, &info)
        guard info == 0, weights.allSatisfy(\.isFinite) else { return nil }
        let rows = (0..<products.rows).map { Array(weights[$0 * order..<($0 + 1) * order]) }
        return LinearModel(standardised: rows, means, features)
    }
}
