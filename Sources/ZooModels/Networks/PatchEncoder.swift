// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// A Vision Transformer: patch embedding, positions, blocks, norm.
struct PatchEncoder: Sendable {
    let embedding: PatchEmbedding3D
    let positions: PositionCoding
    let stack: TransformerStack
    /// An embedding that is added to every token, [1, width].
    var offset: Matrix?
    /// The blocks with separate output norms, whose outputs alone can be requested.
    ///
    /// It is empty if the final norm applies to the outputs of all blocks.
    var levels: [Level] = []
    /// Whether the predictor takes the concatenated features of all ``levels``, or those of the
    /// last block.
    var joinsLevels = false
    /// Whether a clip shorter than one tubelet is repeated, as in transformers, or rejected.
    var repeatsShortClips = false

    /// A block and its output norm.
    struct Level: Sendable {
        let block: Int
        let norm: LayerNorm
    }

    /// Encodes all or the `visible` tokens of an input [batch, frames, channels, height, width].
    ///
    /// See ``JEPAEncoder/encode(_:visible:options:on:)``.
    func encode(
        _ pixels: Tensor,
        visible: TokenSelection?,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> Encoding {
        let selection = try selection(of: pixels.shape, visible: visible)
        return try await pool.run { session in
            try encode(pixels, selection: selection, options: options, session: session)
        }
    }

    /// Returns all or the `visible` tokens of an input [batch, frames, channels, height, width].
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
        let count = sizes(of: pixels).count
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
                "the visible tokens do not match the input, which has \(pixels[0]) samples with "
                    + "tokens 0 to \(count - 1)"
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
        let norms = try options.levels.map(norm(ofBlock:))
        let x = Matrix(rows: selection.batch * selection.count, columns: width)
        let positions = positions.fitted(to: sizes(of: pixels.shape))
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
        let joined = joinsLevels ? levels : []
        let context = Matrix(rows: x.rows, columns: joined.count * width)
        let wanted = options.levels.map { _ in Matrix(rows: x.rows, columns: width) }
        let layers = try stack.apply(
            to: x,
            ids: selection,
            positions: positions,
            options: options,
            session: session
        ) { block, x in
            for (index, level) in joined.enumerated() where level.block == block {
                level.norm.apply(
                    to: x,
                    into: context.columns(index * width..<(index + 1) * width)
                )
            }
            for (index, level) in options.levels.enumerated() where level == block {
                norms[index].apply(to: x, into: wanted[index])
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
        try tokens.values.requireFinite("features")
        return Encoding(
            tokens: tokens,
            context: joined.isEmpty ? tokens : try features(context),
            layers: layers,
            levels: try wanted.map { level throws(ZooError) in try features(level) }
        )
    }

    /// Returns the output norm of a block.
    private func norm(ofBlock block: Int) throws(ZooError) -> LayerNorm {
        if let level = levels.first(where: { $0.block == block }) { return level.norm }
        guard levels.isEmpty, stack.blocks.indices.contains(block) else {
            let known = levels.map { "\($0.block)" }.joined(separator: ", ")
            throw ZooError(
                .levelInvalid,
                "the output of block \(block) was requested, and the encoder has blocks "
                    + (levels.isEmpty ? "0 to \(stack.blocks.count - 1)" : "\(known) as levels")
            )
        }
        return stack.norm
    }

    /// Checks that an input has more than one row and column of patches, which interpolated
    /// positions need.
    private func requireSpread(_ pixels: Shape) throws(ZooError) {
        guard case .rotary(_, let grid) = positions, grid.lastPlace != nil else { return }
        let found = sizes(of: pixels)
        guard found.rows > 1, found.columns > 1 else {
            throw ZooError(
                .inputShapeInvalid,
                "an input of \(pixels[3]) by \(pixels[4]) pixels has a single row or column of "
                    + "patches, and this model needs at least two of each"
            )
        }
    }

    /// Returns the token grid of an input [batch, frames, channels, height, width].
    private func sizes(of pixels: Shape) -> GridSize {
        let found = embedding.tokens(
            frames: frames(of: pixels),
            height: pixels[3],
            width: pixels[4]
        )
        return GridSize(frames: found.frames, rows: found.rows, columns: found.columns)
    }

    /// Returns the number of frames that are read.
    private func frames(of pixels: Shape) -> Int {
        repeatsShortClips && pixels[1] < embedding.tubelet
            ? pixels[1] * embedding.tubelet : pixels[1]
    }
}
