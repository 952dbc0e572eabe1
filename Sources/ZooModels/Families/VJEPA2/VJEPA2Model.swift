// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
internal import ZooTensor

extension ModelFamily {
    /// V-JEPA 2 (arXiv 2506.09985), as transformers stores it.
    static let vjepa2 = ModelFamily(
        .vjepa2,
        loader: { folder throws(ZooError) in try VJEPA2Model.load(folder).model }
    )
}

/// A V-JEPA 2 model: an encoder of videos and a predictor of masked tokens.
///
/// Computes what `VJEPA2Model` of transformers 5.23 computes in float32; like there, a clip shorter
/// than a tubelet is repeated. Inputs of other sides than `crop_size` get the positions that
/// ``PositionGrid`` says. The weights stay in the files they were loaded from.
public struct VJEPA2Model: VideoEncoder {
    /// The grid that positions of the encoder's tokens refer to.
    ///
    /// An input of `crop_size` gets the same positions either way. The predictor, which sees ids only,
    /// takes them to be of the grid of `crop_size`, in both implementations.
    public enum PositionGrid: Sendable {
        /// The patches of the input, rectangular ones too: what facebookresearch/vjepa2
        /// `src/models/vision_transformer.py` computes, and what the positions mean.
        case input
        /// The square grid of `crop_size`, whatever the input: what transformers 5.23 computes. Tokens
        /// of other inputs are told rows and columns where they do not lie.
        case cropSize
    }

    /// The sizes.
    public let configuration: VJEPA2Configuration
    /// The encoder and the predictor.
    public let networks: VideoNetworks

    /// Loads a folder that transformers wrote: `config.json` and `model.safetensors`, or shards
    /// with an index; float32, bfloat16 or half precision.
    ///
    /// Of a `VJEPA2ForVideoClassification` it is the model inside, which may lack the predictor;
    /// ``VideoClassifier`` has the rest.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String, positions: PositionGrid = .input) throws(ZooError) {
        self = try Self.load(try ModelFolder(path), positions: positions).model
    }

    /// Loads a folder whole: of a `VJEPA2ForVideoClassification` also the pooler with its classifier.
    static func load(
        _ folder: ModelFolder,
        positions: PositionGrid = .input
    ) throws(ZooError) -> (model: VJEPA2Model, probe: AttentiveProbe?) {
        let configuration = try VJEPA2Configuration(folder.configuration)
        let checkpoint = try Checkpoint(opening: folder.path)
        let weights = WeightScope(checkpoint)
        guard configuration.isVideoClassifier else {
            let model = try VJEPA2Model(configuration, weights, positions, hasPredictor: true)
            try weights.requireComplete()
            return (model, nil)
        }
        let model = try VJEPA2Model(
            configuration,
            weights.scope("vjepa2"),
            positions,
            hasPredictor: checkpoint.tensors.contains { $0.name.hasPrefix("vjepa2.predictor.") }
        )
        let probe = try AttentiveProbe(
            ProbeConfiguration(classifier: folder.configuration, configuration),
            weights
        )
        try weights.requireComplete()
        return (model, probe)
    }

    private init(
        _ configuration: VJEPA2Configuration,
        _ weights: WeightScope,
        _ positions: PositionGrid,
        hasPredictor: Bool
    ) throws(ZooError) {
        self.configuration = configuration
        networks = VideoNetworks(
            encoder: try weights.scope("encoder")
                .vjepa2Encoder(configuration, positions: positions),
            predictor: hasPredictor
                ? try weights.scope("predictor").vjepa2Predictor(configuration) : nil,
            size: configuration.video
        )
    }

    /// `vjepa2`.
    public var family: FamilyID { .vjepa2 }
}
