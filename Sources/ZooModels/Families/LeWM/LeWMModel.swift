// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// LeWM (arXiv 2603.19312), in the layout that `ami-zoo convert` writes.
    static let lewm = ModelFamily(
        .lewm,
        loader: { folder throws(ZooError) in try LeWMModel(folder).encoder },
        worldModelLoader: { folder throws(ZooError) in try LeWMModel(folder) }
    )
}

/// A LeWM model: an encoder of images to single tokens, and an action-conditioned predictor.
///
/// Equivalent to `LeWM` of galilai-group/stable-worldmodel in float32, with the running statistics
/// of batch norms. The predictor takes a block of actions per frame. In the released models a block
/// is five concatenated actions, each standardised with the statistics of the training data.
public struct LeWMModel: ActionConditionedModel {
    /// The encoder.
    public let encoder: LeWMEncoder
    /// The shape of the inputs and outputs of ``predict(_:under:on:)``.
    public let latentShape: LatentShape
    private let predictor: LeWMPredictor

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let configuration = try LeWMConfiguration(folder.configuration)
        let checkpoint = try Checkpoint(opening: folder.path)
        let weights = WeightScope(checkpoint)
        encoder = try LeWMEncoder(weights, configuration)
        predictor = try LeWMPredictor(weights, configuration, checkpoint)
        try weights.requireComplete()
        latentShape = LatentShape(
            tokens: 1,
            width: configuration.width,
            actionWidth: configuration.actionWidth,
            stateWidth: 0,
            frames: configuration.frames
        )
    }

    /// `lewm`.
    public var family: FamilyID { .lewm }

    /// The settings of the paper.
    public var planning: PlanningDefaults {
        PlanningDefaults(distance: .lewm, search: .general(.lewm))
    }

    /// The encoder.
    public var frameEncoder: (any FrameEncoder)? { encoder }

    /// Predicts the frame after each known frame; see ``ActionConditionedModel``.
    public func predict(
        _ known: LatentSequence,
        under actions: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> LatentSequence {
        try latentShape.requireFit(known, actions)
        return try LatentSequence(
            latents: await pool.run { session in
                try predictor.predict(known.latents, actions: actions, session: session)
            }
        )
    }
}
