// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
package import ZooTensor

/// A linear layer: y = x · weightᵀ + bias, with the weight [outputs, inputs].
package struct Linear: Sendable {
    /// The weight, [outputs, inputs].
    package let weight: WeightMatrix
    /// The bias, [outputs]; nil for none.
    package let bias: Tensor?

    /// Applies the layer to `input` [rows, inputs] and writes to `output` [rows, outputs].
    package func apply(to input: Matrix, into output: Matrix, scratch: Scratch) {
        scratch.measure(.linear, operations: 2 * input.rows * weight.inputs * weight.outputs) {
            weight.multiply(input, into: output, scratch: scratch)
            if let bias { output.addBias(bias) }
        }
    }

    /// Applies the layer to `rows` and adds the result to `output`: a residual connection.
    ///
    /// - Parameters:
    ///   - rows: [rows, inputs].
    ///   - output: [rows, outputs].
    ///   - kind: the kind of work in a profile.
    ///   - session: the threads to use.
    package func add(
        of rows: ProductRows,
        to output: Matrix,
        kind: Profile.Kind,
        session: ComputeSession
    ) {
        session.forEachProduct(rows: rows.rows, outputs: weight.outputs) {
            _,
            range,
            outputs,
            scratch in
            let weights = weight.prepare(outputs: outputs, for: rows, scratch: scratch)
            for block in range.blocks {
                let target = output.rows(block).columns(outputs)
                scratch.measure(
                    kind,
                    operations: 2 * block.count * outputs.count * weight.inputs
                ) {
                    if let bias { target.addBias(bias, from: outputs.lowerBound) }
                    weights.multiply(rows, rows: block, into: target, accumulating: true)
                }
            }
        }
    }
}

extension Range<Int> {
    /// Blocks of at most 120 rows.
    ///
    /// The output of a product is then still in the cache for the following passes. A block
    /// consists of whole kernel tiles, which have 6 or 12 rows.
    var blocks: [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: 120).map {
            $0..<Swift.min($0 + 120, upperBound)
        }
    }

    /// Splits the rows by sample, with the range of tokens in each; a sample has `tokens` rows.
    func samples(of tokens: Int) -> [(sample: Int, tokens: Range<Int>)] {
        guard !isEmpty else { return [] }
        return (lowerBound / tokens...(upperBound - 1) / tokens).map { sample in
            let first = Swift.max(lowerBound - sample * tokens, 0)
            return (sample, first..<Swift.min(upperBound - sample * tokens, tokens))
        }
    }
}

extension WeightScope {
    /// Loads `<name>.weight` [outputs, inputs] and `<name>.bias` [outputs].
    package func linear(
        _ name: String,
        from inputs: Int,
        to outputs: Int,
        bias: Bool = true
    ) throws(ZooError) -> Linear {
        let scope = scope(name)
        return Linear(
            weight: WeightMatrix(try scope.tensor("weight", shape: [outputs, inputs])),
            bias: bias ? try scope.values("bias", shape: [outputs]) : nil
        )
    }
}
