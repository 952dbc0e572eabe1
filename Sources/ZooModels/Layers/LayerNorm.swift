// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
package import ZooTensor

/// Layer normalisation over the last axis, with a learned weight and bias.
package struct LayerNorm: Sendable {
    /// The weight, [width].
    package let weight: Tensor
    /// The bias, [width].
    package let bias: Tensor
    /// The epsilon added to the variance.
    package let epsilon: Float

    /// Creates a norm without learned parameters: weight 1 and bias 0.
    package static func withoutWeights(width: Int, epsilon: Float) -> LayerNorm {
        LayerNorm(
            weight: Tensor(shape: [width], values: Array(repeating: 1, count: width)),
            bias: Tensor(zeros: [width]),
            epsilon: epsilon
        )
    }

    /// Writes the normalised rows of `input` to `output`, which may be `input`.
    package func apply(to input: Matrix, into output: Matrix) {
        output.layerNorm(of: input, weight: weight, bias: bias, epsilon: epsilon)
    }

    /// Writes the normalised rows of `input` to `output`, which may be `input`.
    package func apply(to input: Matrix, into output: Matrix, session: ComputeSession) {
        session.forEachPanel(samples: 1, rows: input.rows, height: 256) { _, range, scratch in
            scratch.measure(.norm, bytes: range.count * input.columns * 8) {
                apply(to: input.rows(range), into: output.rows(range))
            }
        }
    }

    /// Writes the normalised rows of `input` to `output`, packed for products.
    package func apply(to input: Matrix, into output: ProductRows, session: ComputeSession) {
        session.forEachBlock(of: input.rows) { range, scratch in
            let normalised = scratch.matrix(
                .normalised,
                rows: range.count,
                columns: input.columns
            )
            scratch.measure(.norm, bytes: range.count * input.columns * 8) {
                apply(to: input.rows(range), into: normalised)
            }
            scratch.measure(.packing, bytes: range.count * input.columns * 8) {
                output.store(normalised, row: range.lowerBound)
            }
        }
    }
}

extension ComputeSession {
    /// Calls `body` for blocks of rows, on all threads; blocks consist of whole kernel tiles.
    func forEachBlock(of rows: Int, _ body: @Sendable (Range<Int>, Scratch) -> Void) {
        // Small enough to occupy all threads, and to fit into the cache.
        let height = Swift.max(12, Swift.min(96, rows / threads / 12 * 12))
        forEach((rows + height - 1) / height) { index, scratch in
            body(index * height..<Swift.min((index + 1) * height, rows), scratch)
        }
    }
}

extension WeightScope {
    /// Loads `<name>.weight` and `<name>.bias`, each [width].
    package func layerNorm(
        _ name: String,
        width: Int,
        epsilon: Double
    ) throws(ZooError) -> LayerNorm {
        let scope = scope(name)
        return LayerNorm(
            weight: try scope.values("weight", shape: [width]),
            bias: try scope.values("bias", shape: [width]),
            epsilon: Float(epsilon)
        )
    }
}
