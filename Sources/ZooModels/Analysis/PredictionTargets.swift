// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooTensor

extension JEPAModel {
    /// What predictions are compared with: the features of the encoder, each token normalised to mean
    /// 0 and variance 1.
    ///
    /// Source: `h = F.layer_norm(h, (h.size(-1),))` in the training loops of facebookresearch/ijepa,
    /// jepa and vjepa2; epsilon 1e-5.
    ///
    /// - Parameter encoding: of everything that is to be compared.
    /// - Returns: targets, [batch, tokens, width].
    /// - Throws: `ZooError` with code `model.unsupported` for predictors that were trained on the
    ///   features of another model.
    public func predictionTargets(of encoding: Encoding) throws(ZooError) -> TokenFeatures {
        try encoding.tokens.normalised(parts: 1)
    }
}

extension TokenFeatures {
    /// What is added to the variance: the default of `torch.nn.functional.layer_norm`.
    private static let epsilon: Float = 1e-5

    /// Layer normalisation of each of `parts` equal parts of every token, without gain and shift.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid` when the width is no multiple.
    func normalised(parts: Int) throws(ZooError) -> TokenFeatures {
        let width = values.shape[2]
        guard width.isMultiple(of: parts) else {
            throw ZooError(
                .inputShapeInvalid,
                "features of \(width) elements do not have \(parts) equal levels"
            )
        }
        return try TokenFeatures(
            values: values.normalised(width: width / parts, epsilon: Self.epsilon),
            selection: selection
        )
    }
}

extension Tensor {
    /// Layer normalisation of every `width` successive elements, without gain and shift.
    func normalised(width: Int, epsilon: Float) -> Tensor {
        let source = reshaped([shape.elementCount / width, width]).matrix
        let result = Matrix(rows: source.rows, columns: width)
        result.layerNorm(
            of: source,
            gain: Tensor(shape: [width], values: Array(repeating: 1, count: width)),
            shift: Tensor(zeros: [width]),
            epsilon: epsilon
        )
        return Tensor(shape: shape, buffer: result.buffer)
    }

    /// The frames `range` of [batch, frames, …].
    func frames(_ range: Range<Int>) -> Tensor {
        let extents = shape.extents
        let size = extents.dropFirst(2).reduce(1, *)
        let source = reshaped([extents[0], extents[1] * size]).matrix
        let result = Matrix(rows: extents[0], columns: range.count * size)
        result.copy(from: source.columns(range.lowerBound * size..<range.upperBound * size))
        return Tensor(
            shape: Shape([extents[0], range.count] + extents.dropFirst(2)),
            buffer: result.buffer
        )
    }
}
