// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// A pre-norm block with adaptive layer norm (AdaLN), conditioned per group of tokens.
///
/// With (shift1, scale1, gate1, shift2, scale2, gate2) = modulation(condition):
/// x ← x + gate1 · attention(norm1(x) · (1 + scale1) + shift1), and likewise with the MLP.
///
/// Source: facebookresearch/jepa-wms `app/plan_common/models/AdaLN_vit.py`, `FWAdaLNBlock`.
struct ModulatedBlock: Sendable {
    /// Norms, attention that is causal between groups, and MLP.
    let block: TransformerBlock
    /// The linear layer from a condition to shift, scale and gate, [6 · width, width].
    let modulation: Linear

    private static let panelHeight = 256

    /// The norms and gates of one group.
    private struct Modulated {
        let norm1: LayerNorm
        let gate1: Matrix
        let norm2: LayerNorm
        let gate2: Matrix
    }

    /// Applies the block to the tokens of some samples in place.
    ///
    /// - Parameters:
    ///   - x: [batch · tokens, width].
    ///   - group: the number of tokens that share a condition.
    ///   - conditions: [batch · groups, width].
    ///   - rotation: the rotation table of the tokens of a sample.
    ///   - state: buffers for the attention, for the same batch and tokens.
    ///   - session: the threads to use.
    func apply(
        to x: Matrix,
        group: Int,
        conditions: Matrix,
        rotation: Rotation,
        state: AttentionState,
        session: ComputeSession
    ) {
        let groups = modulated(by: conditions)
        precondition(x.rows == groups.count * group)
        let packed = session.sharedRows(.packedRows, rows: x.rows, columns: x.columns)
        session.forEachBlock(of: x.rows) { range, scratch in
            let normalised = scratch.matrix(.normalised, rows: range.count, columns: x.columns)
            var first = range.lowerBound
            while first < range.upperBound {
                let rows = first..<min((first / group + 1) * group, range.upperBound)
                let place = rows.lowerBound - range.lowerBound
                groups[first / group].norm1.apply(
                    to: x.rows(rows),
                    into: normalised.rows(place..<place + rows.count)
                )
                first = rows.upperBound
            }
            packed.store(normalised, row: range.lowerBound)
        }
        block.attention.project(packed, rotations: [rotation], into: state, session: session)
        block.attention.attend(state, session: session)
        session.forEachPanel(samples: groups.count, rows: group, height: Self.panelHeight) {
            index,
            range,
            scratch in
            let place = index * group + range.lowerBound..<index * group + range.upperBound
            let rows = x.rows(place)
            let change = scratch.matrix(.projected, rows: rows.rows, columns: x.columns)
            block.attention.projection.apply(
                to: state.attended.rows(place),
                into: change,
                scratch: scratch
            )
            rows.add(change, timesRow: groups[index].gate1)
            let normalised = scratch.matrix(.normalised, rows: rows.rows, columns: x.columns)
            groups[index].norm2.apply(to: rows, into: normalised)
            block.mlp.apply(to: normalised, into: change, scratch: scratch)
            rows.add(change, timesRow: groups[index].gate2)
        }
    }

    private func modulated(by conditions: Matrix) -> [Modulated] {
        let width = conditions.columns
        let all = Matrix(rows: conditions.rows, columns: 6 * width)
        modulation.apply(to: conditions, into: all, scratch: Scratch())
        return (0..<conditions.rows).map { row in
            func part(_ index: Int) -> Matrix {
                all.rows(row..<row + 1).columns(index * width..<(index + 1) * width)
            }
            return Modulated(
                norm1: block.norm1.modulated(shift: part(0), scale: part(1)),
                gate1: part(2),
                norm2: block.norm2.modulated(shift: part(3), scale: part(4)),
                gate2: part(5)
            )
        }
    }
}

extension LayerNorm {
    /// Returns the norm multiplied by (1 + scale) plus shift, both [1, width].
    fileprivate func modulated(shift: Matrix, scale: Matrix) -> LayerNorm {
        let (weights, biases) = (weight.values, bias.values)
        let factors = weights.indices.map { 1 + scale[0, $0] }
        return LayerNorm(
            weight: Tensor(
                shape: weight.shape,
                values: zip(weights, factors).map { $0 * $1 }
            ),
            bias: Tensor(
                shape: weight.shape,
                values: biases.indices.map { biases[$0] * factors[$0] + shift[0, $0] }
            ),
            epsilon: epsilon
        )
    }
}
