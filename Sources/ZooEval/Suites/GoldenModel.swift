// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// Computes the stages of a ``GoldenSuite`` with a model.
struct GoldenModel: Sendable {
    /// What the file of the reference holds as input.
    enum Input: String {
        /// Pictures or clips, U8 [samples, frames, height, width, 3].
        case frames
        /// Windows of a time series, F32 [samples, steps, channels].
        case values
    }

    private let kinds: Set<GoldenSuite.Stage.Kind>
    private let encoder: any JEPAEncoder
    /// Nil for windows of a time series.
    private let preprocessing: Preprocessing?
    private let readOut: TrajectoryReadOut?
    private let world: (any ActionConditionedModel)?

    /// Loads what the stages need of a model.
    ///
    /// - Throws: ``ZooError`` with code `model.unsupported` when the model lacks a part; a `model.*`, `checkpoint.*`
    ///   or `io.*` code; `CancellationError`.
    init(_ kinds: Set<GoldenSuite.Stage.Kind>, of model: EvaluatedModel) async throws {
        self.kinds = kinds
        encoder = try await model.encoder()
        if kinds.contains(.predictorOutput) || kinds.contains(.positions) {
            _ = try encoder.requirePredictor()
        }
        world = kinds.contains(.rollOut) ? try await model.worldModel() : nil
        let takesSeries = encoder is SeriesJEPAModel
        (preprocessing, readOut) = try await BlockingWork.run { _ in
            (
                takesSeries ? nil : try model.preprocessing(),
                kinds.contains(.positions) ? try TrajectoryReadOut(folder: model.folder) : nil
            )
        }
    }

    /// What the model takes.
    var input: Input { preprocessing == nil ? .values : .frames }

    /// The input of the model, [samples, frames, 3, height, width] or [samples, steps, channels].
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or `media.*`.
    func pixels(_ split: TensorSplit, _ samples: Range<Int>) throws(ZooError) -> Tensor {
        guard let preprocessing else {
            let shape = try split.sampleShape(Input.values.rawValue, rank: 2)
            return try split.numbers(Input.values.rawValue, shape, samples)
        }
        return try split.clips(Input.frames.rawValue, samples, preprocessing)
    }

    /// The outputs of the stages.
    ///
    /// - Parameters:
    ///   - pixels: the input of one sample, as ``pixels(_:_:)`` gives it.
    ///   - ids: the stored tokens of a name, for the predictor of masked tokens.
    ///   - actions: the stored actions, [1, frames - 1 + steps, action width], for the roll-out.
    ///   - pool: the threads to compute on.
    /// - Returns: an output for each stage that the model has.
    /// - Throws: ``ZooError`` or `CancellationError`.
    func outputs(
        of pixels: Tensor,
        ids: (String) throws -> TokenSelection,
        actions: () throws -> Tensor,
        on pool: ComputePool
    ) async throws -> [GoldenSuite.Stage.Kind: Tensor] {
        var outputs: [GoldenSuite.Stage.Kind: Tensor] =
            preprocessing == nil ? [:] : [.pixelValues: pixels]
        let all = try await encoder.encode(
            pixels,
            visible: nil,
            options: ForwardOptions(keepsLayers: true),
            on: pool
        )
        for (number, layer) in all.layers.enumerated() { outputs[.layer(number)] = layer }
        outputs[.lastHiddenState] = all.tokens.values
        if kinds.contains(.predictorOutput) || kinds.contains(.positions) {
            let known = try await encoder.encode(
                pixels,
                visible: try ids("context_ids"),
                options: ForwardOptions(),
                on: pool
            )
            let predicted = try await encoder.requirePredictor().predict(
                try ids("target_ids"),
                from: known.context,
                options: ForwardOptions(),
                on: pool
            ).values
            outputs[.predictorOutput] = predicted
            outputs[.positions] = try readOut.map { try positions(of: predicted, $0) }
        }
        if let world {
            outputs[.rollOut] = try await rollOut(world, pixels, try actions(), on: pool)
        }
        return outputs
    }

    private func positions(of predicted: Tensor, _ readOut: TrajectoryReadOut) throws -> Tensor {
        let latents = predicted.reshaped([predicted.shape[1], predicted.shape[2]])
        let positions = try readOut.trajectory(of: latents).positions
        return Tensor(
            shape: Shape([1, 2 * positions.count]),
            values: positions.flatMap { [Float($0.x), Float($0.y)] }
        )
    }

    /// The frames that a model predicts one after another, [1, steps, tokens, width].
    private func rollOut(
        _ world: any ActionConditionedModel,
        _ pixels: Tensor,
        _ actions: Tensor,
        on pool: ComputePool
    ) async throws -> Tensor {
        guard let encoder = world.frameEncoder, world.latentShape.stateWidth == 0 else {
            throw ZooError(
                .modelUnsupported,
                world.frameEncoder == nil
                    ? "the release has no encoder of frames to roll out from"
                    : "the model needs measurements beside frames, which references do not hold",
                remedy: "leave the stage 'predictor.roll_out' out of the suite 'golden'"
            )
        }
        let known = try LatentSequence(latents: await encoder.encodeFrames(pixels, on: pool))
        let frames = try await world.rollOut(from: known, under: actions, on: pool).latents
        let (first, count) = (known.latents.shape[1], frames.shape[1])
        let size = frames.shape.elementCount / count
        return Tensor(
            shape: Shape([1, count - first] + frames.shape.sizes.dropFirst(2)),
            values: Array(frames.values[(first * size)...])
        )
    }
}
