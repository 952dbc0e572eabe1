// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// A world model over features of an external encoder, such as JEPA-WM and DINO-WM.
///
/// Tokens also hold embedded proprioception. A state is the concatenated embedded proprioception of
/// all tokens of a frame, as ``ActionConditionedModel/measurementEncoder`` returns it and as it is
/// predicted.
public protocol FeatureWorldModel: ActionConditionedModel {
    /// The tokens of a frame.
    var features: FeatureTokens { get }
}

extension FeatureWorldModel {
    /// The shape of the inputs and outputs of ``ActionConditionedModel/predict(_:under:on:)``.
    public var latentShape: LatentShape { features.shape }

    /// The encoder of proprioception; nil for models without proprioception.
    public var measurementEncoder: (any MeasurementEncoder)? { features.proprioception }

    /// Contexts of two frames, with the settings of the simulations, or of DROID for robot arms.
    public var planning: PlanningDefaults { .jepaWM(latentShape) }
}

/// The layout of tokens of visual features and embedded proprioception.
public struct FeatureTokens: Sendable {
    let shape: LatentShape
    let proprioception: ProprioceptionEncoder?

    /// Creates a layout, and loads `proprio_encoder` if tokens hold proprioception.
    ///
    /// - Parameters:
    ///   - weights: the weights of the model.
    ///   - side: the number of tokens along a side of a frame.
    ///   - width: the number of visual elements of a token.
    ///   - actionWidth: the number of values per action.
    ///   - proprioception: the number of measured values, and of their elements in a token; 0 for
    ///     none.
    ///   - frames: the maximum number of context frames of a prediction.
    /// - Throws: `ZooError` with a `checkpoint.*` code.
    init(
        _ weights: WeightScope,
        side: Int,
        width: Int,
        actionWidth: Int,
        proprioception: (inputs: Int, outputs: Int),
        frames: Int
    ) throws(ZooError) {
        let tokens = side * side
        self.proprioception =
            proprioception.outputs == 0
            ? nil
            : ProprioceptionEncoder(
                embedding: try weights.measurementEmbedding(
                    "proprio_encoder",
                    from: proprioception.inputs,
                    to: proprioception.outputs
                ),
                tokens: tokens
            )
        shape = LatentShape(
            tokens: tokens,
            width: width,
            actionWidth: actionWidth,
            stateWidth: tokens * proprioception.outputs,
            frames: frames
        )
    }
}

/// Embeds proprioception and repeats it for every token of a frame.
struct ProprioceptionEncoder: MeasurementEncoder {
    let embedding: MeasurementEmbedding
    /// The number of tokens per frame.
    let tokens: Int

    var measurementWidth: Int { embedding.inputs }

    func states(of measured: Tensor) throws(ZooError) -> Tensor {
        try embedding.states(of: measured, tokens: tokens)
    }
}
