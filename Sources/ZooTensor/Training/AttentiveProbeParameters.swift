// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The sizes of an attentive probe: one cross-attention block with one learned query, then a linear layer.
package struct AttentiveProbeSizes: Hashable, Sendable {
    /// The number of elements of a token.
    package let width: Int
    /// The number of attention heads, a divisor of the width.
    package let heads: Int
    /// The number of hidden elements of the MLP.
    package let hidden: Int
    /// The number of outputs of the linear layer.
    package let outputs: Int

    /// Describes a probe whose MLP is four times as wide as a token.
    package init(width: Int, heads: Int, outputs: Int) {
        precondition(heads > 0 && width > 0 && width.isMultiple(of: heads) && outputs > 0)
        self.width = width
        self.heads = heads
        hidden = 4 * width
        self.outputs = outputs
    }

    var headWidth: Int { width / heads }
}

/// The parameters of an attentive probe, or a number for each of them, in one vector.
///
/// Views share memory, as those of ``Matrix``.
package struct AttentiveProbeParameters: Sendable {
    /// The tensors, by their names in files of `AttentiveClassifier` of facebookresearch/vjepa2.
    ///
    /// Only `xattn.k` and `xattn.v` are named otherwise: files join them as `xattn.kv`.
    package enum Part: String, CaseIterable, Sendable {
        case query = "pooler.query_tokens"
        case norm1Weight = "pooler.cross_attention_block.norm1.weight"
        case norm1Bias = "pooler.cross_attention_block.norm1.bias"
        case queryWeight = "pooler.cross_attention_block.xattn.q.weight"
        case queryBias = "pooler.cross_attention_block.xattn.q.bias"
        case keyWeight = "pooler.cross_attention_block.xattn.k.weight"
        case keyBias = "pooler.cross_attention_block.xattn.k.bias"
        case valueWeight = "pooler.cross_attention_block.xattn.v.weight"
        case valueBias = "pooler.cross_attention_block.xattn.v.bias"
        case norm2Weight = "pooler.cross_attention_block.norm2.weight"
        case norm2Bias = "pooler.cross_attention_block.norm2.bias"
        case hiddenWeight = "pooler.cross_attention_block.mlp.fc1.weight"
        case hiddenBias = "pooler.cross_attention_block.mlp.fc1.bias"
        case mlpWeight = "pooler.cross_attention_block.mlp.fc2.weight"
        case mlpBias = "pooler.cross_attention_block.mlp.fc2.bias"
        case linearWeight = "linear.weight"
        case linearBias = "linear.bias"

        /// The number of rows and columns; vectors are [1, elements].
        package func shape(_ sizes: AttentiveProbeSizes) -> (rows: Int, columns: Int) {
            switch self {
            case .query, .norm1Weight, .norm1Bias, .queryBias, .keyBias, .valueBias, .norm2Weight,
                .norm2Bias, .mlpBias:
                (1, sizes.width)
            case .queryWeight, .keyWeight, .valueWeight: (sizes.width, sizes.width)
            case .hiddenWeight: (sizes.hidden, sizes.width)
            case .hiddenBias: (1, sizes.hidden)
            case .mlpWeight: (sizes.width, sizes.hidden)
            case .linearWeight: (sizes.outputs, sizes.width)
            case .linearBias: (1, sizes.outputs)
            }
        }
    }

    /// The epsilon of both norms.
    package static let epsilon: Float = 1e-5

    /// The sizes of the probe.
    package let sizes: AttentiveProbeSizes
    /// All elements, [1, elements], in the order of the parts.
    package let vector: Matrix
    private let parts: [Part: Matrix]

    /// Creates a vector of zeros.
    package init(zeros sizes: AttentiveProbeSizes) {
        self.sizes = sizes
        let shapes = Part.allCases.map { $0.shape(sizes) }
        let vector = Matrix(rows: 1, columns: shapes.reduce(0) { $0 + $1.rows * $1.columns })
        var parts: [Part: Matrix] = [:]
        var first = 0
        for (part, shape) in zip(Part.allCases, shapes) {
            let count = shape.rows * shape.columns
            parts[part] = vector.columns(first..<first + count)
                .reshaped(rows: shape.rows, columns: shape.columns)
            first += count
        }
        self.vector = vector
        self.parts = parts
    }

    /// Whether no element is NaN or infinite.
    package var isFinite: Bool {
        (0..<vector.columns).allSatisfy { vector[0, $0].isFinite }
    }

    /// One tensor.
    package subscript(part: Part) -> Matrix {
        guard let matrix = parts[part] else { preconditionFailure("every part has elements") }
        return matrix
    }
}
