// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// The principal components of tokens, and the projection of each token on them.
///
/// With three components as red, green and blue this is the usual picture of patch features: parts of
/// a thing that a model sees as alike get alike colours.
public struct PrincipalComponents: Sendable {
    /// The projections of the tokens, [tokens, components], centred.
    ///
    /// The sign of a component is arbitrary; here the token farthest from the middle lies on the
    /// positive side.
    public let projections: Tensor
    /// The share of the variance that each component explains.
    public let explained: [Float]

    /// Finds the components of a set of tokens.
    ///
    /// - Parameters:
    ///   - tokens: [tokens, width]; tokens of several frames or images together get the same colours.
    ///   - count: how many components; at most the tokens and the width.
    ///   - pool: the threads to compute on.
    /// - Throws: `ZooError` with code `model.input-shape-invalid` when there are fewer tokens or
    ///   elements than components, or when elements are not finite; `CancellationError` when the
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
                "features of shape \(shape) do not have \(count) principal components"
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
        // Transposed: tokens are columns, so that a mean belongs to a row.
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
        // Both products have the same eigenvalues that are not zero; the smaller one is solved.
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
                "the features have elements that are not finite, and no principal components"
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
