// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// Features of tokens, and the ids of the tokens.
public struct TokenFeatures: Sendable {
    /// The features, [batch, tokens, width].
    public let values: Tensor
    /// The tokens, in the order of `values`.
    public let selection: TokenSelection

    /// Creates features of tokens.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid` if `values` is not
    ///   [batch, tokens, width] for the tokens of `selection`.
    public init(values: Tensor, selection: TokenSelection) throws(ZooError) {
        let shape = values.shape
        guard shape.rank == 3, shape[0] == selection.batch, shape[1] == selection.count else {
            throw ZooError(
                .inputShapeInvalid,
                "features of shape \(shape) do not match \(selection.batch) samples of "
                    + "\(selection.count) tokens"
            )
        }
        self.values = values
        self.selection = selection
    }

    /// Returns the features of some of the tokens, in the order of `wanted`.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid` if a token has no features,
    ///   or the number of samples differs.
    public func selecting(_ wanted: TokenSelection) throws(ZooError) -> TokenFeatures {
        guard wanted.batch == selection.batch else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the selection has \(wanted.batch) samples, and the features have \(selection.batch)"
            )
        }
        let width = values.shape[2]
        let source = values.matrix
        let result = Matrix(rows: wanted.batch * wanted.count, columns: width)
        for (sample, ids) in wanted.ids.enumerated() {
            var rowOfID: [Int: Int] = [:]
            for (row, id) in selection.ids[sample].enumerated() { rowOfID[id] = row }
            for (position, id) in ids.enumerated() {
                guard let row = rowOfID[id] else {
                    throw ZooError(
                        .tokenSelectionInvalid,
                        "sample \(sample) has no features of the selected token \(id)",
                        remedy: "the input has tokens 0 to \(selection.count - 1)"
                    )
                }
                let (from, to) = (
                    sample * selection.count + row, sample * wanted.count + position
                )
                result.rows(to..<to + 1).copy(from: source.rows(from..<from + 1))
            }
        }
        return try TokenFeatures(
            values: Tensor(
                shape: [wanted.batch, wanted.count, width],
                buffer: result.buffer
            ),
            selection: wanted
        )
    }
}
