// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Loads the weights of Vision Transformers with Meta's tensor names.
extension WeightScope {
    /// Splits `<name>.weight` [parts · outputs, inputs] and an optional `<name>.bias` into linear
    /// layers.
    ///
    /// The layers are in the order of the rows.
    func fusedLinears(
        _ name: String,
        parts: Int,
        from inputs: Int,
        to outputs: Int,
        bias hasBias: Bool = true
    ) throws(ZooError) -> [Linear] {
        let scope = scope(name)
        let weight = try scope.tensor("weight", shape: [parts * outputs, inputs])
        let bias = hasBias ? try scope.tensor("bias", shape: [parts * outputs]) : nil
        return (0..<parts).map { part in
            let rows = part * outputs..<(part + 1) * outputs
            return Linear(
                weight: WeightMatrix(weight.rows(rows)),
                bias: bias?.rows(rows).tensor
            )
        }
    }

    /// Loads `<name>.0`, `<name>.1` and so on, each [1, 1, width], as rows.
    func numberedTokens(_ name: String, count: Int, width: Int) throws(ZooError) -> Matrix {
        let rows = Matrix(rows: count, columns: width)
        for index in 0..<count {
            let token = try values("\(name).\(index)", shape: [1, 1, width])
            rows.rows(index..<index + 1).copy(from: token.reshaped([1, width]).matrix)
        }
        return rows
    }

    /// Loads blocks `<name>.<i>.norm1`, `.attn.{qkv,proj}`, `.norm2`, `.mlp.{fc1,fc2}`, and the
    /// norm.
    ///
    /// With a `group`, tokens attend to tokens of their own and earlier groups of that size.
    /// Source: facebookresearch/jepa `src/models/utils/modules.py`.
    func metaStack(
        _ name: String,
        norm: String,
        _ sizes: TransformerSizes,
        epsilon: Double,
        group: Int? = nil
    ) throws(ZooError) -> TransformerStack {
        let width = sizes.width
        var blocks: [TransformerBlock] = []
        for index in 0..<sizes.layers {
            blocks.append(
                try scope(name).scope(index).metaBlock(
                    width: width,
                    heads: sizes.heads,
                    hidden: sizes.hidden,
                    epsilon: epsilon,
                    group: group
                )
            )
        }
        return TransformerStack(
            blocks: blocks,
            norm: try layerNorm(norm, width: width, epsilon: epsilon),
            heads: sizes.heads,
            width: width
        )
    }

    /// Loads one block: `norm1`, `attn.{qkv,proj}`, `norm2`, `mlp.{fc1,fc2}`.
    func metaBlock(
        width: Int,
        heads: Int,
        hidden: Int,
        epsilon: Double,
        group: Int? = nil
    ) throws(ZooError) -> TransformerBlock {
        let attention = scope("attn")
        let fused = try attention.fusedLinears("qkv", parts: 3, from: width, to: width)
        return TransformerBlock(
            norm1: try layerNorm("norm1", width: width, epsilon: epsilon),
            attention: SelfAttention(
                query: fused[0],
                key: fused[1],
                value: fused[2],
                projection: try attention.linear("proj", from: width, to: width),
                heads: heads,
                group: group
            ),
            norm2: try layerNorm("norm2", width: width, epsilon: epsilon),
            mlp: try mlp("mlp", width: width, hidden: hidden)
        )
    }
}
