// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// Multinomial logistic regression with a penalty on the weights.
///
/// Minimises strength · Σ cross-entropy + ½ ‖w‖² over standardised features, with a row of weights for every class,
/// also for two; intercepts are not penalised. As `LogisticRegression(solver="lbfgs")` of scikit-learn 1.7 for three
/// and more classes after its `StandardScaler`.
package struct LogisticRegression: Sendable {
    /// The largest magnitude of an element of the gradient, of the sum divided by strength and rows.
    package static let tolerance = 1e-5
    /// The largest number of steps.
    package static let iterations = 1000

    private let rows: RowBlocks
    private let classes: [Int32]
    private let classCount: Int
    private let features: Standardisation
    private let included: Double

    /// Prepares a fit, in two passes over the rows.
    ///
    /// - Parameters:
    ///   - rows: features, [rows, columns].
    ///   - classes: the class of each row, from 0; nil for rows that do not count. At least one does.
    ///   - count: the number of classes.
    ///   - session: the computation.
    /// - Throws: what reading throws; `CancellationError`.
    package init(
        _ rows: RowBlocks,
        classes: [Int?],
        of count: Int,
        in session: ComputeSession
    ) throws {
        precondition(classes.count == rows.count, "\(classes.count) classes of \(rows.count) rows")
        precondition(classes.allSatisfy { $0 == nil || (0..<count).contains($0 ?? 0) })
        self.rows = rows
        self.classes = classes.map { Int32($0 ?? -1) }
        classCount = count
        included = Double(classes.count { $0 != nil })
        features = try Standardisation(rows, included: classes.map { $0 != nil }, in: session)
    }

    /// Fits with several strengths, each from the minimum of the one before.
    ///
    /// - Parameters:
    ///   - strengths: what the cross-entropy is multiplied with, in ascending order, above 0.
    ///   - session: the computation.
    /// - Returns: a function for each strength, whose outputs are the logits of the classes.
    /// - Throws: what reading throws; `CancellationError`.
    package func models(
        strengths: [Double],
        in session: ComputeSession
    ) throws -> [LinearModel] {
        let width = rows.columns + 1
        var position = [Double](repeating: 0, count: classCount * width)
        return try strengths.map { strength in
            let penalty = 1 / (strength * included)
            let problem = LBFGS { try objective($0, penalty, session) }
            position = try problem.minimise(
                from: position,
                tolerance: Self.tolerance,
                iterations: Self.iterations
            )
            return model(position)
        }
    }

    /// The function of a position: for each class the weights, then the intercept.
    private func model(_ position: [Double]) -> LinearModel {
        let width = rows.columns + 1
        return LinearModel(
            standardised: (0..<classCount).map {
                Array(position[$0 * width..<$0 * width + width - 1])
            },
            (0..<classCount).map { position[$0 * width + width - 1] },
            features
        )
    }

    /// The mean cross-entropy with the penalty, and its gradient.
    private func objective(
        _ position: [Double],
        _ penalty: Double,
        _ session: ComputeSession
    ) throws -> (value: Double, gradient: [Double]) {
        let (columns, width) = (rows.columns, rows.columns + 1)
        let model = model(position)
        // Residuals times features, and the sums of the residuals.
        let products = DoubleMatrix(rows: classCount, columns: columns)
        var sums = [Double](repeating: 0, count: classCount)
        var loss = 0.0
        var logits = Matrix(rows: 0, columns: classCount)
        try rows.forEachGroup { range, parts in
            try session.checkCancellation()
            if logits.rows < range.count {
                logits = Matrix(rows: range.count, columns: classCount)
            }
            let residuals = logits.rows(0..<range.count)
            let losses = DoubleMatrix(rows: parts.count, columns: 1)
            session.forEach(parts.count) { index, _ in
                let part = parts[index]
                let first = part.first - range.lowerBound
                let own = residuals.rows(first..<first + part.matrix.rows)
                MatrixProduct.multiply(part.matrix, transposed: model.weights, into: own)
                unsafe ami_add_bias(
                    KernelPath.portable.cpu,
                    own.writableBase,
                    own.stride,
                    own.rows,
                    own.columns,
                    model.intercepts
                )
                losses[index, 0] = unsafe ami_softmax_residuals(
                    own.writableBase,
                    own.stride,
                    own.rows,
                    own.columns,
                    Array(classes[part.rows])
                )
            }
            session.forEachColumns(columns) { tile, scratch in
                let product = scratch.matrix(.scores, rows: classCount, columns: tile.count)
                for (index, part) in parts.enumerated() {
                    let first = part.first - range.lowerBound
                    MatrixProduct.multiply(
                        transposing: residuals.rows(first..<first + part.matrix.rows),
                        part.matrix.columns(tile),
                        into: product,
                        accumulating: index > 0
                    )
                }
                products.add(product, row: 0, column: tile.lowerBound)
            }
            for index in parts.indices { loss += losses[index, 0] }
            for row in 0..<range.count {
                for label in 0..<classCount { sums[label] += Double(residuals[row, label]) }
            }
        }
        var gradient = [Double](repeating: 0, count: position.count)
        var squares = 0.0
        for label in 0..<classCount {
            for column in 0..<columns {
                let weight = position[label * width + column]
                squares += weight * weight
                let product =
                    (products[label, column] - sums[label] * features.mean[column])
                    / features.scale[column]
                gradient[label * width + column] = product / included + penalty * weight
            }
            gradient[label * width + columns] = sums[label] / included
        }
        return (loss / included + penalty / 2 * squares, gradient)
    }
}
