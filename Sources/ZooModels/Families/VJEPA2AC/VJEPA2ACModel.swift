// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// V-JEPA 2-AC (arXiv 2506.09985, section 4), in the layout that `ami-zoo convert` writes.
    static let vjepa2AC = ModelFamily(
        .vjepa2AC,
        planningPresets: [
            PlanningPreset(name: "notebook", search: .arm(.notebook)),
            PlanningPreset(name: "world-model", search: .arm(.worldModel)),
            PlanningPreset(name: "function", search: .arm(ArmPlanner.Settings())),
        ],
        loader: { folder throws(ZooError) in try VJEPA2ACModel(folder).encoder },
        worldModelLoader: { folder throws(ZooError) in try VJEPA2ACModel(folder) }
    )
}

/// A V-JEPA 2-AC model: the encoder of V-JEPA 2, and a predictor for the actions of a robot arm.
///
/// Latents are features of single frames after a layer norm without weights (`normalize_reps` of
/// upstream). States are poses and actions are changes of them; see ``Pose``. Releases whose
/// predictor takes only actions have no states.
public struct VJEPA2ACModel: ActionConditionedModel {
    /// The encoder; nil in releases with only the predictor.
    public let encoder: VJEPA2ACEncoder?
    /// The shape of the inputs and outputs of ``predict(_:under:on:)``.
    public let latentShape: LatentShape
    private let predictor: ActionPredictor
    private let norm: LayerNorm

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let configuration = try VJEPA2ACConfiguration(folder.configuration)
        let checkpoint = try Checkpoint(opening: folder.path)
        let weights = WeightScope(checkpoint)
        if let sizes = configuration.encoder {
            encoder = try VJEPA2ACEncoder(
                weights.scope("encoder"),
                sizes,
                configuration.video,
                epsilon: configuration.epsilon
            )
        } else {
            encoder = nil
        }
        // The configuration does not state whether there are states.
        let hasStates = checkpoint["predictor.state_encoder.weight"] != nil
        let inner = weights.scope("predictor")
        predictor = try ActionPredictor(
            inner,
            configuration,
            stateWidth: hasStates ? Pose.width : 0
        )
        // Upstream files hold these weights, which the released configuration does not use.
        if let extrinsics = checkpoint["predictor.extrinsics_encoder.weight"],
            extrinsics.shape.rank == 2
        {
            _ = try inner.linear(
                "extrinsics_encoder",
                from: extrinsics.shape[1],
                to: configuration.predictor.width
            )
        }
        try weights.requireComplete()
        guard !hasStates || configuration.actionWidth == Pose.width else {
            throw ZooError(
                .modelUnsupported,
                "predictors with poses and actions of \(configuration.actionWidth) values are not "
                    + "supported, only \(Pose.width)"
            )
        }
        latentShape = LatentShape(
            tokens: configuration.patches,
            width: configuration.width,
            actionWidth: configuration.actionWidth,
            stateWidth: hasStates ? Pose.width : 0,
            frames: configuration.frames
        )
        norm = .withoutWeights(width: configuration.width, epsilon: 1e-5)
    }

    /// `vjepa2-ac`.
    public var family: FamilyID { .vjepa2AC }

    /// The encoder; nil in releases with only the predictor.
    public var frameEncoder: (any FrameEncoder)? { encoder }

    /// The settings of the energy landscape notebook of upstream.
    public var planning: PlanningDefaults {
        PlanningDefaults(distance: .vjepa2AC, search: .arm(.notebook))
    }

    /// Predicts the frame after each known frame; see ``ActionConditionedModel``.
    ///
    /// Predictions are normalised like ``VJEPA2ACEncoder/encodeFrames(_:on:)``, and actions are
    /// applied to the states, so that the result can be the input of the next prediction.
    public func predict(
        _ known: LatentSequence,
        under actions: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> LatentSequence {
        let predicted = try await predictUnnormalised(known, under: actions, on: pool)
        norm.apply(to: predicted.matrix, into: predicted.matrix)
        return try LatentSequence(
            latents: predicted,
            states: known.states.map { Pose.move($0, by: actions) }
        )
    }

    /// Returns the predictions of ``predict(_:under:on:)`` before the norm.
    ///
    /// - Parameters:
    ///   - known: frames in order.
    ///   - actions: [batch, frames, action width].
    ///   - pool: the threads to compute on.
    /// - Returns: [batch, frames, tokens, width].
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    public func predictUnnormalised(
        _ known: LatentSequence,
        under actions: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> Tensor {
        try latentShape.requireFit(known, actions)
        let (predictor, states) = (predictor, latentShape.stateWidth == 0 ? nil : known.states)
        return try await pool.run { session in
            try predictor.predict(
                known.latents,
                actions: actions,
                states: states,
                session: session
            )
        }
    }
}
