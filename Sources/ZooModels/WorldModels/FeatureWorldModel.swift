// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// A world model over the features of an encoder of another project, whose tokens hold proprioception: what
/// JEPA-WM and DINO-WM share.
///
/// A state is the embedded proprioception of every token of a frame, one after the other, as
/// ``ActionConditionedModel/measurementEncoder`` gives it and as it is predicted.
public protocol FeatureWorldModel: ActionConditionedModel {
    /// The tokens of a frame.
    var features: FeatureTokens { get }
}

extension FeatureWorldModel {
    /// The sizes of what ``ActionConditionedModel/predict(_:under:on:)`` takes and returns.
    public var latentShape: LatentShape { features.shape }

    /// The encoder of proprioception; nil for models without.
    public var measurementEncoder: (any MeasurementEncoder)? { features.proprioception }

    /// Two frames at a time; the settings of the simulations, or of DROID for arms.
    public var planning: PlanningDefaults { .jepaWM(latentShape) }
}

/// Tokens of visual features and of embedded proprioception.
public struct FeatureTokens: Sendable {
    let shape: LatentShape
    let proprioception: ProprioceptionEncoder?

    /// Takes `proprio_encoder` where tokens hold proprioception.
    ///
    /// - Parameters:
    ///   - weights: the weights of the model.
    ///   - side: tokens along a side of a frame.
    ///   - width: visual elements of a token.
    ///   - actionWidth: numbers of an action.
    ///   - proprioception: measured numbers, and elements of a token that they become; 0 for none.
    ///   - frames: the most frames that a prediction is made from.
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

/// Embeds proprioception, and repeats it for every token of a frame.
struct ProprioceptionEncoder: MeasurementEncoder {
    let embedding: MeasurementEmbedding
    /// Tokens of a frame.
    let tokens: Int

    var measurementWidth: Int { embedding.inputs }

    func states(of measured: Tensor) throws(ZooError) -> Tensor {
        try embedding.states(of: measured, tokens: tokens)
    }
}
