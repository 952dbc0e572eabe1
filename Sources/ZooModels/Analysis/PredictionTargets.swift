// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooTensor

extension MaskedPredictor {
    /// The prediction targets: encoder features, each token normalised to mean 0 and variance 1.
    ///
    /// Source: `h = F.layer_norm(h, (h.size(-1),))` in the training loops of
    /// facebookresearch/ijepa, jepa and vjepa2; epsilon 1e-5.
    ///
    /// - Parameter encoding: an encoding of all tokens that are compared.
    /// - Returns: the targets, [batch, tokens, width].
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    public func predictionTargets(of encoding: Encoding) throws(ZooError) -> TokenFeatures {
        try encoding.tokens.normalised(parts: 1)
    }
}

extension TokenFeatures {
    /// The epsilon added to the variance, the default of `torch.nn.functional.layer_norm`.
    private static let epsilon: Float = 1e-5

    /// Layer normalisation of each of `parts` equal parts of every token, without weight and bias.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid` if the width is not a multiple of
    ///   `parts`.
    func normalised(parts: Int) throws(ZooError) -> TokenFeatures {
        let width = values.shape[2]
        guard width.isMultiple(of: parts) else {
            throw ZooError(
                .inputShapeInvalid,
                "features of \(width) elements cannot be split into \(parts) equal levels"
            )
        }
        let part = width / parts
        let rows = values.reshaped([values.shape.elementCount / part, part]).matrix
        let result = Matrix(rows: rows.rows, columns: part)
        LayerNorm.withoutWeights(width: part, epsilon: Self.epsilon).apply(to: rows, into: result)
        return try TokenFeatures(
            values: Tensor(shape: values.shape, buffer: result.buffer),
            selection: selection
        )
    }
}
