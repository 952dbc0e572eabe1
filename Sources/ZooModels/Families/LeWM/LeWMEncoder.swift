// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// The encoder of LeWM: a Vision Transformer whose projected class token is the only token of an
/// image.
///
/// Equivalent to `LeWM.encode` of galilai-group/stable-worldmodel in float32, which uses `ViTModel`
/// of transformers 5.23, with `interpolate_pos_encoding` for images of any size.
public struct LeWMEncoder: JEPAEncoder, FrameEncoder {
    private let embedding: PatchEmbedding3D
    private let positions: PositionTable
    /// The class token with its position embedding, [1, width].
    private let classToken: Matrix
    private let stack: TransformerStack
    private let projector: MLP
    private let imageSize: Int

    init(_ weights: WeightScope, _ configuration: LeWMConfiguration) throws(ZooError) {
        let (width, grid) = (configuration.width, configuration.grid)
        let encoder = weights.scope("encoder")
        let embeddings = encoder.scope("embeddings")
        let table = try embeddings.values(
            "position_embeddings",
            shape: [1, grid.count + 1, width]
        ).reshaped([grid.count + 1, width]).matrix
        classToken = Matrix(rows: 1, columns: width)
        classToken.copy(
            from: try embeddings.values("cls_token", shape: [1, 1, width])
                .reshaped([1, width]).matrix
        )
        classToken.add(table.rows(0..<1))
        let places = Matrix(rows: grid.count, columns: width)
        places.copy(from: table.rows(1..<table.rows))
        positions = PositionTable(
            values: Tensor(shape: [grid.count, width], buffer: places.buffer),
            sizes: grid,
            interpolation: .bicubic
        )
        embedding = try embeddings.scope("patch_embeddings").patchEmbedding2D(
            "projection",
            channels: configuration.channels,
            patch: configuration.patchSize,
            width: width
        )
        stack = try encoder.vitStack(configuration.encoder, epsilon: configuration.epsilon)
        projector = try weights.projectionHead(
            "projector",
            width: width,
            hidden: configuration.projectorWidth
        )
        imageSize = configuration.imageSize
    }

    /// `lewm`.
    public var family: FamilyID { .lewm }

    /// Single images of the training size; one token covers the whole image.
    public var input: ModelInput {
        ModelInput(
            frames: 1,
            channels: embedding.channels,
            height: imageSize,
            width: imageSize,
            patch: imageSize
        )
    }

    /// It is nil, because the predictor of this family takes actions.
    public var predictor: (any MaskedPredictor)? { nil }

    /// The number of elements of an embedding.
    public var width: Int { stack.width }

    /// Returns the token of an image; `frames` must be 0..<1.
    public func tokens(
        ofFrames frames: Range<Int>,
        batch: Int
    ) throws(ZooError) -> TokenSelection {
        guard frames == 0..<1, batch >= 1 else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the model takes single images, and frames \(frames.lowerBound) to \(frames.upperBound - 1) "
                    + "were requested"
            )
        }
        return .first(1, batch: batch)
    }

    /// Encodes images [batch, channels, height, width], or clips of one frame, to one token each.
    ///
    /// ``Encoding/layers`` holds the class token and the patches of the Vision Transformer.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `model.token-selection-invalid`
    ///   if only some tokens are visible; `model.level-invalid` if levels are requested;
    ///   `CancellationError` when the task is cancelled.
    public func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        let shape = pixelValues.shape
        let images =
            shape.rank == 4
            ? pixelValues.reshaped([shape[0], 1, shape[1], shape[2], shape[3]]) : pixelValues
        try requireImages(images.shape)
        let selection = TokenSelection.first(1, batch: images.shape[0])
        guard visible ?? selection == selection else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the model has one token per image, and the visible tokens differ from it"
            )
        }
        guard options.levels.isEmpty else {
            throw ZooError(.levelInvalid, "LeWM does not support the outputs of blocks")
        }
        return try await pool.run { session in
            let found = try embed(images, options: options, session: session)
            let tokens = try TokenFeatures(
                values: Tensor(
                    shape: [images.shape[0], 1, width],
                    buffer: found.embeddings.buffer
                ),
                selection: selection
            )
            try tokens.values.requireFinite("features")
            return Encoding(tokens: tokens, context: tokens, layers: found.layers, levels: [])
        }
    }

    /// Encodes each frame separately; see ``FrameEncoder``.
    public func encodeFrames(
        _ pixelValues: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> Tensor {
        let found = try await encode(pixelValues.framesAsClips(), on: pool).tokens.values
        return found.reshaped([pixelValues.shape[0], pixelValues.shape[1], 1, width])
    }

    private func requireImages(_ shape: Shape) throws(ZooError) {
        guard shape.rank == 5, shape[0] > 0, shape[1] == 1, shape[2] == embedding.channels,
            shape[3] >= embedding.patch, shape[4] >= embedding.patch
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(shape), and must be images [batch, "
                    + "\(embedding.channels), height, width] with sides of at least "
                    + "\(embedding.patch) pixels"
            )
        }
        guard sizes(of: shape).count < TokenSelection.largestID else {
            throw ZooError(.inputShapeInvalid, "an input of shape \(shape) has too many patches")
        }
    }

    private func sizes(of shape: Shape) -> GridSize {
        let found = embedding.tokens(frames: 1, height: shape[3], width: shape[4])
        return GridSize(frames: 1, rows: found.rows, columns: found.columns)
    }

    /// Computes embeddings [batch, width] of images [batch, 1, channels, height, width].
    private func embed(
        _ images: Tensor,
        options: ForwardOptions,
        session: ComputeSession
    ) throws -> (embeddings: Matrix, layers: [Tensor]) {
        let (batch, sizes) = (images.shape[0], sizes(of: images.shape))
        let (count, tokens) = (sizes.count, sizes.count + 1)
        let patches = Matrix(rows: batch * count, columns: width)
        let table = positions.interpolated(to: sizes).values.matrix
        embedding.apply(
            to: images,
            frames: 1,
            ids: TokenSelection.first(count, batch: batch).ids,
            into: patches,
            session: session
        )
        let x = Matrix(rows: batch * tokens, columns: width)
        for sample in 0..<batch {
            let rows = x.rows(sample * tokens..<(sample + 1) * tokens)
            rows.rows(0..<1).copy(from: classToken)
            rows.rows(1..<tokens).copy(from: patches.rows(sample * count..<(sample + 1) * count))
            rows.rows(1..<tokens).add(table)
        }
        let layers = try stack.apply(
            to: x,
            ids: .first(tokens, batch: batch),
            positions: .table(positions),
            options: options,
            session: session
        )
        let classes = Matrix(rows: batch, columns: width)
        for sample in 0..<batch {
            classes.rows(sample..<sample + 1)
                .copy(from: x.rows(sample * tokens..<sample * tokens + 1))
        }
        let embeddings = Matrix(rows: batch, columns: width)
        session.forEachPanel(samples: 1, rows: batch, height: 256) { _, range, scratch in
            projector.apply(
                to: classes.rows(range),
                into: embeddings.rows(range),
                scratch: scratch
            )
        }
        return (embeddings, layers)
    }
}
