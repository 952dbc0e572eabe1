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
/// Equivalent to `VJEPA2Model` of transformers 5.23 in float32, which also repeats a clip shorter
/// than a tubelet. ``PositionGrid`` selects the positions for inputs of other sizes than
/// `crop_size`. The weights are mapped from the files.
public struct VJEPA2Model: VideoEncoder {
    /// The grid for the positions of encoder tokens.
    ///
    /// For an input of `crop_size` both are the same. The predictor gets only ids and uses the grid
    /// of `crop_size` in both implementations.
    public enum PositionGrid: Sendable {
        /// The patch grid of the input, which may be rectangular, as in facebookresearch/vjepa2
        /// `src/models/vision_transformer.py`.
        case input
        /// The square grid of `crop_size` for any input, as in transformers 5.23.
        ///
        /// For inputs of other sizes the rows and columns of tokens are wrong.
        case cropSize
    }

    /// The configuration.
    public let configuration: VJEPA2Configuration
    /// The encoder and the predictor.
    public let networks: VideoNetworks

    /// Loads a folder that transformers wrote: `config.json`, and `model.safetensors` or shards
    /// with an index, in float32, bfloat16 or float16.
    ///
    /// From a `VJEPA2ForVideoClassification` it loads the base model. ``VideoClassifier`` also loads
    /// the classifier. Weights without any tensor of the predictor are those of an encoder only,
    /// and `predictor` is nil.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String, positions: PositionGrid = .input) throws(ZooError) {
        self = try Self.load(try ModelFolder(path), positions: positions).model
    }

    /// Loads the model, and from a `VJEPA2ForVideoClassification` also the pooler and the
    /// classifier.
    static func load(
        _ folder: ModelFolder,
        positions: PositionGrid = .input
    ) throws(ZooError) -> (model: VJEPA2Model, probe: AttentiveProbe?) {
        let configuration = try VJEPA2Configuration(folder.configuration)
        let checkpoint = try Checkpoint(opening: folder.path)
        let weights = WeightScope(checkpoint)
        let prefix = configuration.isVideoClassifier ? "vjepa2." : ""
        let model = try VJEPA2Model(
            configuration,
            configuration.isVideoClassifier ? weights.scope("vjepa2") : weights,
            positions,
            hasPredictor: checkpoint.tensors.contains { $0.name.hasPrefix("\(prefix)predictor.") }
        )
        guard configuration.isVideoClassifier else {
            try weights.requireComplete()
            return (model, nil)
        }
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
