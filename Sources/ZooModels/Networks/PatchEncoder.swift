// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Pixels to features: patch embedding, positions, blocks, norm.
struct PatchEncoder: Sendable {
    let embedding: PatchEmbedding3D
    let positions: PositionCoding
    let stack: TransformerStack
    /// What is added to every token, [1, width].
    var offset: Matrix?
    /// The levels whose features, side by side, are what the predictor takes; empty when it takes
    /// those of the last one.
    var contextLevels: [Level] = []
    /// Whether a clip too short for one tubelet is repeated, as transformers does; otherwise it is
    /// refused.
    var repeatsShortClips = false

    /// A block whose output counts, and the norm it goes through.
    struct Level: Sendable {
        let block: Int
        let norm: LayerNorm
    }

    /// The tokens of an input [batch, frames, channels, height, width], all of them or those that
    /// are `visible`.
    func selection(
        of pixels: Shape,
        visible: TokenSelection?
    ) throws(ZooError) -> TokenSelection {
        guard pixels.rank == 5, pixels[0] > 0, pixels[1] > 0, pixels[2] == embedding.channels,
            pixels[3] >= embedding.patch, pixels[4] >= embedding.patch
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(pixels), and must be [batch, frames, "
                    + "\(embedding.channels), height, width] with sides of at least "
                    + "\(embedding.patch) pixels"
            )
        }
        let count = extents(of: pixels).count
        try requireSpread(pixels)
        guard count > 0 else {
            throw ZooError(
                .inputShapeInvalid,
                "a clip of \(pixels[1]) frames is shorter than a tubelet of \(embedding.tubelet)"
            )
        }
        guard count <= TokenSelection.largestID else {
            throw ZooError(.inputShapeInvalid, "an input of shape \(pixels) has too many tokens")
        }
        guard let visible else { return .first(count, batch: pixels[0]) }
        guard visible.batch == pixels[0], visible.ids.joined().allSatisfy({ $0 < count }) else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the input has \(pixels[0]) samples with tokens 0 to \(count - 1); the visible "
                    + "tokens are not among them"
            )
        }
        return visible
    }

    /// Encodes the tokens of `selection`, which ``selection(of:visible:)`` returned.
    func encode(
        _ pixels: Tensor,
        selection: TokenSelection,
        options: ForwardOptions,
        session: ComputeSession
    ) throws -> Encoding {
        let width = stack.width
        if let level = options.levels.first(where: { !stack.blocks.indices.contains($0) }) {
            throw ZooError(
                .levelInvalid,
                "the output of block \(level) is asked for, and the encoder has blocks 0 to "
                    + "\(stack.blocks.count - 1)"
            )
        }
        let x = Matrix(rows: selection.batch * selection.count, columns: width)
        let positions = positions.fitted(to: extents(of: pixels.shape))
        embedding.apply(
            to: pixels,
            frames: frames(of: pixels.shape),
            ids: selection.ids,
            into: x,
            session: session
        )
        for (sample, ids) in selection.ids.enumerated() {
            let rows = sample * selection.count..<(sample + 1) * selection.count
            positions.add(to: x.rows(rows), ids: ids[...])
        }
        if let offset {
            for row in 0..<x.rows { x.rows(row..<row + 1).add(offset) }
        }
        let context = Matrix(rows: x.rows, columns: contextLevels.count * width)
        let levels = options.levels.map { _ in Matrix(rows: x.rows, columns: width) }
        let layers = try stack.apply(
            to: x,
            ids: selection,
            positions: positions,
            options: options,
            session: session
        ) { block, x in
            for (index, level) in contextLevels.enumerated() where level.block == block {
                level.norm.apply(
                    to: x,
                    into: context.columns(index * width..<(index + 1) * width)
                )
            }
            for (wanted, level) in zip(options.levels, levels) where wanted == block {
                stack.norm.apply(to: x, into: level)
            }
        }
        func features(_ matrix: Matrix) throws(ZooError) -> TokenFeatures {
            try TokenFeatures(
                values: Tensor(
                    shape: [selection.batch, selection.count, matrix.columns],
                    buffer: matrix.buffer
                ),
                selection: selection
            )
        }
        let tokens = try features(x)
        return Encoding(
            tokens: tokens,
            context: contextLevels.isEmpty ? tokens : try features(context),
            layers: layers,
            levels: try levels.map { level throws(ZooError) in try features(level) }
        )
    }

    /// Positions that are stretched over an input need more than one row and one column of it.
    private func requireSpread(_ pixels: Shape) throws(ZooError) {
        guard case .rotary(_, let grid) = positions, grid.lastPlace != nil else { return }
        let found = extents(of: pixels)
        guard found.rows > 1, found.columns > 1 else {
            throw ZooError(
                .inputShapeInvalid,
                "an input of \(pixels[3]) by \(pixels[4]) pixels has a single row or column of "
                    + "patches, and this model needs at least two of each"
            )
        }
    }

    /// The extents of the tokens of an input [batch, frames, channels, height, width].
    private func extents(of pixels: Shape) -> TokenExtents {
        let found = embedding.tokens(
            frames: frames(of: pixels),
            height: pixels[3],
            width: pixels[4]
        )
        return TokenExtents(frames: found.frames, rows: found.rows, columns: found.columns)
    }

    /// The frames that are read.
    private func frames(of pixels: Shape) -> Int {
        repeatsShortClips && pixels[1] < embedding.tubelet
            ? pixels[1] * embedding.tubelet : pixels[1]
    }
}
