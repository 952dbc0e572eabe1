// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Predicts patches of the next frames from patches, actions and optional states of frames.
///
/// The action and state tokens of a frame precede its patches. Tokens attend to their own and
/// earlier frames. Action and state tokens have the time of their frame and row and column 0, so
/// their row and column segments are not rotated, as upstream does.
///
/// Source: facebookresearch/vjepa2 `src/models/ac_predictor.py`, `VisionTransformerPredictorAC`;
/// without states, the file of that name in facebookresearch/jepa-wms.
struct ActionPredictor: Sendable {
    private let input: Linear
    private let action: Linear
    private let state: Linear?
    private let positions: PositionCoding
    private let stack: TransformerStack
    private let output: Linear
    /// The number of patches per frame.
    private let patches: Int

    init(
        _ weights: WeightScope,
        _ configuration: VJEPA2ACConfiguration,
        stateWidth: Int
    ) throws(ZooError) {
        let sizes = configuration.predictor
        let (width, outer) = (sizes.width, configuration.width)
        patches = configuration.patches
        input = try weights.linear("predictor_embed", from: outer, to: width)
        action = try weights.linear("action_encoder", from: configuration.actionWidth, to: width)
        state =
            stateWidth == 0
            ? nil : try weights.linear("state_encoder", from: stateWidth, to: width)
        let grid = configuration.video.tokens
        positions = .rotary(
            RotaryEmbedding3D(headWidth: width / sizes.heads, layout: .tiled),
            PositionCoding.RotaryGrid(grid: TokenGrid(rows: grid.rows, columns: grid.columns))
        )
        stack = try weights.metaStack(
            "predictor_blocks",
            norm: "predictor_norm",
            sizes,
            epsilon: configuration.epsilon,
            group: patches + (state == nil ? 1 : 2)
        )
        output = try weights.linear("predictor_proj", from: width, to: outer)
    }

    /// Predicts patches without the final norm of latents.
    ///
    /// - Parameters:
    ///   - latents: [batch, frames, patches, outer width].
    ///   - actions: [batch, frames, action width].
    ///   - states: [batch, frames, state width], for models with states.
    ///   - session: the threads to use.
    /// - Returns: [batch, frames, patches, outer width].
    /// - Throws: `CancellationError`.
    func predict(
        _ latents: Tensor,
        actions: Tensor,
        states: Tensor?,
        session: ComputeSession
    ) throws -> Tensor {
        let (batch, frames) = (latents.shape[0], latents.shape[1])
        let conditions =
            [(action, actions)] + zip([state].compactMap(\.self), [states].compactMap(\.self))
        let (leading, patches) = (conditions.count, patches)
        let stride = leading + patches
        let x = Matrix(rows: batch * frames * stride, columns: stack.width)
        let known = latents.matrix
        // Rows of patches in `x`; the patches of a frame follow its action and state tokens.
        @Sendable func place(_ frame: Int, _ rows: Range<Int>) -> Range<Int> {
            let first = frame * stride + leading
            return first + rows.lowerBound..<first + rows.upperBound
        }
        @Sendable func source(_ frame: Int, _ rows: Range<Int>) -> Range<Int> {
            frame * patches + rows.lowerBound..<frame * patches + rows.upperBound
        }
        session.forEachPanel(samples: batch * frames, rows: patches, height: 256) {
            frame,
            rows,
            scratch in
            input.apply(
                to: known.rows(source(frame, rows)),
                into: x.rows(place(frame, rows)),
                scratch: scratch
            )
        }
        let scratch = Scratch()
        for (index, (linear, values)) in conditions.enumerated() {
            let tokens = Matrix(rows: batch * frames, columns: stack.width)
            linear.apply(to: values.matrix, into: tokens, scratch: scratch)
            for frame in 0..<batch * frames {
                let row = frame * stride + index
                x.rows(row..<row + 1).copy(from: tokens.rows(frame..<frame + 1))
            }
        }
        let ids = (0..<frames).flatMap { frame in
            Array(repeating: frame * patches, count: leading)
                + Array(frame * patches..<(frame + 1) * patches)
        }
        _ = try stack.apply(
            to: x,
            ids: TokenSelection(Array(repeating: ids, count: batch)),
            positions: positions,
            options: ForwardOptions(),
            session: session
        )
        let result = Matrix(rows: batch * frames * patches, columns: known.columns)
        session.forEachPanel(samples: batch * frames, rows: patches, height: 256) {
            frame,
            rows,
            scratch in
            output.apply(
                to: x.rows(place(frame, rows)),
                into: result.rows(source(frame, rows)),
                scratch: scratch
            )
        }
        return Tensor(shape: latents.shape, buffer: result.buffer)
    }
}
