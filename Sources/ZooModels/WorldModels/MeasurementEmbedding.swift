// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// A linear layer that embeds the actions or the proprioception of one step.
///
/// Source: facebookresearch/jepa-wms `app/plan_common/models/prop_embedding.py`, whose convolution
/// over time has a kernel of one step.
struct MeasurementEmbedding: Sendable {
    let map: Linear

    /// The number of values per step.
    var inputs: Int { map.weight.inputs }
    /// The number of features per step.
    var outputs: Int { map.weight.outputs }

    /// Embeds values [batch, frames, inputs] to [batch · frames, outputs].
    func embed(_ numbers: Tensor) -> Matrix {
        let result = Matrix(rows: numbers.shape[0] * numbers.shape[1], columns: outputs)
        map.apply(to: numbers.matrix, into: result, scratch: Scratch())
        return result
    }

    /// Embeds measurements and repeats them for each of `tokens` tokens: [batch, frames, tokens ·
    /// outputs].
    ///
    /// Upstream concatenates them with visual features in this form.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    func states(of measured: Tensor, tokens: Int) throws(ZooError) -> Tensor {
        let shape = measured.shape
        guard shape.rank == 3, shape[2] == inputs, shape.elementCount > 0 else {
            throw ZooError(
                .inputShapeInvalid,
                "the measurements have the shape \(shape), and must be [batch, frames, \(inputs)]"
            )
        }
        let embedded = embed(measured)
        let repeated = Matrix(rows: embedded.rows, columns: tokens * outputs)
        for token in 0..<tokens {
            repeated.columns(token * outputs..<(token + 1) * outputs).copy(from: embedded)
        }
        return Tensor(shape: [shape[0], shape[1], tokens * outputs], buffer: repeated.buffer)
    }
}

extension WeightScope {
    /// Loads `<name>.patch_embed.weight` [outputs, inputs, 1] and `<name>.patch_embed.bias`.
    func measurementEmbedding(
        _ name: String,
        from inputs: Int,
        to outputs: Int
    ) throws(ZooError) -> MeasurementEmbedding {
        let scope = scope(name).scope("patch_embed")
        let kernel = try scope.values("weight", shape: [outputs, inputs, 1])
        return MeasurementEmbedding(
            map: Linear(
                weight: WeightMatrix(StoredTensor(kernel.reshaped([outputs, inputs]))),
                bias: try scope.values("bias", shape: [outputs])
            )
        )
    }
}
