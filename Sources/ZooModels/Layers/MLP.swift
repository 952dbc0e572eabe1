// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
package import ZooTensor

/// The MLP of a transformer block: x + second(GELU(first(norm(x)))).
package struct MLP: Sendable {
    package let first: Linear
    package let second: Linear

    /// Applies the MLP to normalised rows and adds the result to `rows`.
    ///
    /// - Parameters:
    ///   - normalised: [rows, width].
    ///   - rows: [rows, width].
    ///   - session: the threads to use.
    package func add(of normalised: ProductRows, to rows: Matrix, session: ComputeSession) {
        let hidden = session.sharedRows(
            .packedHidden,
            rows: normalised.rows,
            columns: first.weight.outputs
        )
        session.forEachProduct(rows: normalised.rows, outputs: hidden.columns) {
            _,
            range,
            outputs,
            scratch in
            let weights = first.weight.prepare(outputs: outputs, for: normalised, scratch: scratch)
            for block in range.blocks {
                let part = scratch.matrix(.hidden, rows: block.count, columns: outputs.count)
                scratch.measure(
                    .mlpLinear,
                    operations: 2 * block.count * outputs.count * normalised.columns
                ) {
                    weights.multiply(normalised, rows: block, into: part)
                }
                scratch.measure(.gelu, bytes: block.count * outputs.count * 8) {
                    part.biasGELU(first.bias, from: outputs.lowerBound)
                }
                scratch.measure(.packing, bytes: block.count * outputs.count * 8) {
                    hidden.store(part, row: block.lowerBound, column: outputs.lowerBound)
                }
            }
        }
        second.add(of: hidden, to: rows, kind: .mlpLinear, session: session)
    }

    /// Applies the MLP to a few normalised rows on the calling thread, and adds the result to
    /// `rows`.
    ///
    /// - Parameters:
    ///   - normalised: [rows, width].
    ///   - rows: [rows, width].
    ///   - scratch: the memory of the calling worker.
    package func add(of normalised: Matrix, to rows: Matrix, scratch: Scratch) {
        let hidden = hidden(of: normalised, scratch)
        if let bias = second.bias { rows.addBias(bias) }
        second.weight.multiply(hidden, into: rows, accumulating: true, scratch: scratch)
    }

    /// Applies the MLP to normalised rows and writes to `output`, [rows, width].
    package func apply(to normalised: Matrix, into output: Matrix, scratch: Scratch) {
        second.apply(to: hidden(of: normalised, scratch), into: output, scratch: scratch)
    }

    private func hidden(of normalised: Matrix, _ scratch: Scratch) -> Matrix {
        let hidden = scratch.matrix(
            .hidden,
            rows: normalised.rows,
            columns: first.weight.outputs
        )
        first.weight.multiply(normalised, into: hidden, scratch: scratch)
        hidden.biasGELU(first.bias)
        return hidden
    }
}

extension WeightScope {
    /// Loads `<name>.fc1` [hidden, width] and `<name>.fc2` [width, hidden], with biases.
    package func mlp(_ name: String, width: Int, hidden: Int) throws(ZooError) -> MLP {
        let scope = scope(name)
        return MLP(
            first: try scope.linear("fc1", from: width, to: hidden),
            second: try scope.linear("fc2", from: hidden, to: width)
        )
    }
}
