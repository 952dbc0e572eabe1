// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// The projections of tokens on their principal components.
///
/// Three components as red, green and blue give the usual image of patch features, in which similar
/// features have similar colours.
public struct PrincipalComponents: Sendable {
    /// The projections of the tokens, [tokens, components], centred.
    ///
    /// The sign of a component is arbitrary; it is chosen such that the projection with the largest
    /// absolute value is positive.
    public let projections: Tensor
    /// The fraction of the variance that each component explains.
    public let explained: [Float]

    /// Computes the principal components of tokens.
    ///
    /// - Parameters:
    ///   - tokens: [tokens, width]; pass tokens of several frames or images together for consistent
    ///     colours.
    ///   - count: the number of components, at most the number of tokens and the width.
    ///   - pool: the threads to compute on.
    /// - Throws: `ZooError` with code `model.input-shape-invalid` if there are fewer tokens or
    ///   elements than components, or if elements are not finite; `CancellationError` when the
    ///   task is cancelled.
    public init(
        of tokens: Tensor,
        count: Int = 3,
        on pool: ComputePool = .shared
    ) async throws {
        let shape = tokens.shape
        guard shape.rank == 2, count >= 1, min(shape[0], shape[1]) >= count else {
            throw ZooError(
                .inputShapeInvalid,
                "features of shape \(shape) have fewer than \(count) principal components"
            )
        }
        let parts = try await pool.run { _ in try Self.parts(of: tokens.matrix, count: count) }
        (projections, explained) = parts
    }

    private static func parts(
        of tokens: Matrix,
        count: Int
    ) throws -> (projections: Tensor, explained: [Float]) {
        let (rows, columns) = (tokens.rows, tokens.columns)
        // Transposed, with tokens as columns.
        let features = Matrix(rows: columns, columns: rows)
        var total = 0.0
        for column in 0..<columns {
            var mean = 0.0
            for row in 0..<rows { mean += Double(tokens[row, column]) }
            mean /= Double(rows)
            for row in 0..<rows {
                let value = Double(tokens[row, column]) - mean
                total += value * value
                features[column, row] = Float(value)
            }
        }
        let centred = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            for column in 0..<columns { centred[row, column] = features[column, row] }
        }
        // XᵀX and XXᵀ have the same non-zero eigenvalues; the smaller one is decomposed.
        let isTall = rows >= columns
        let side = min(rows, columns)
        let product = Matrix(rows: side, columns: side)
        MatrixProduct.multiply(
            isTall ? features : centred,
            transposed: isTall ? features : centred,
            into: product
        )
        guard let leading = LeadingEigenvectors(ofSymmetric: product, count: count) else {
            throw ZooError(
                .inputShapeInvalid,
                "principal components cannot be computed: the features hold NaN or infinite values"
            )
        }
        let found = Matrix(rows: count, columns: rows)
        if isTall {
            MatrixProduct.multiply(leading.vectors, transposed: centred, into: found)
        } else {
            for (index, value) in leading.values.enumerated() {
                let scale = max(value, 0).squareRoot()
                for row in 0..<rows { found[index, row] = leading.vectors[index, row] * scale }
            }
        }
        var projections = [Float](repeating: 0, count: rows * count)
        for index in 0..<count {
            var farthest: Float = 0
            for row in 0..<rows where abs(found[index, row]) > abs(farthest) {
                farthest = found[index, row]
            }
            let sign: Float = farthest < 0 ? -1 : 1
            for row in 0..<rows { projections[row * count + index] = sign * found[index, row] }
        }
        let explained = leading.values.map { total > 0 ? Float(Double(max($0, 0)) / total) : 0 }
        return (Tensor(shape: [rows, count], values: projections), explained)
    }
}
