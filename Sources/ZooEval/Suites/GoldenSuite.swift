// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// Whether a model computes what its reference implementation computed, stage by stage.
///
/// The release holds a safetensors file with inputs, and with the outputs of the reference implementation under the
/// names of stages (``Stage/Kind``). Inputs are `frames` (U8, [samples, frames, height, width, 3]), or `values` (F32,
/// [samples, steps, channels]) for a model of time series; for a predictor of masked tokens `context_ids` and
/// `target_ids` (I64, [samples, tokens]); for a roll-out `actions` (F32, [samples, frames - 1 + steps, action width]).
/// The difference of a stage is max |ours - reference| / max |reference| over all samples.
struct GoldenSuite: SingleStageSuite {
    static let id = SuiteID(name: "golden", version: 1)

    /// A stage that is compared.
    struct Stage: Sendable, Equatable {
        /// What is compared.
        enum Kind: Sendable, Hashable {
            /// The input of the model after preprocessing, [samples, frames, 3, height, width].
            case pixelValues
            /// The patch embeddings (0), or the output of a layer before the final norm (from 1),
            /// [samples, tokens, width].
            case layer(Int)
            /// The output of the encoder for all tokens, [samples, tokens, width].
            case lastHiddenState
            /// The predictor's output for `target_ids`, from the encoder's output for `context_ids` alone,
            /// [samples, tokens, width].
            case predictorOutput
            /// The positions of the read-out, [samples, 2 · frames].
            case positions
            /// The latents that an action-conditioned model predicts one after another from all frames under
            /// `actions`, [samples, steps, tokens, width].
            case rollOut

            init?(_ name: String) {
                switch name {
                case "pixel_values": self = .pixelValues
                case "encoder.last_hidden_state": self = .lastHiddenState
                case "predictor.output": self = .predictorOutput
                case "predictor.roll_out": self = .rollOut
                case "trajectory.positions": self = .positions
                default:
                    let prefix = "encoder.layer."
                    guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)),
                        (0...1000).contains(number)
                    else { return nil }
                    self = .layer(number)
                }
            }
        }

        let name: String
        let kind: Kind
        let limit: Measurement.Limit
    }

    let file: String
    let stages: [Stage]

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        guard definition.data == .release else {
            throw parameters.invalid(
                "file",
                "is a file of the release: 'kind' of 'data' is 'release'"
            )
        }
        file = try ReleasePath(parsing: try parameters.string("file", maximum: 1024)).text
        var stages: [Stage] = []
        for item in try parameters.objects("stages", maximum: 100) {
            let name = try item.string("name")
            guard let kind = Stage.Kind(name), !stages.contains(where: { $0.kind == kind }) else {
                throw item.invalid("name", "is no stage, or is listed twice")
            }
            let tolerance = try item.number("tolerance")
            guard tolerance > 0, tolerance.isFinite else {
                throw item.invalid("tolerance", "must be a positive number")
            }
            stages.append(
                Stage(
                    name: name,
                    kind: kind,
                    limit: Measurement.Limit(
                        value: tolerance,
                        reason: try item.string("reason", maximum: 1000)
                    )
                )
            )
        }
        guard !stages.isEmpty else { throw parameters.invalid("stages", "must list a stage") }
        self.stages = stages
    }

    var metrics: [MetricDefinition] {
        stages.map { MetricDefinition("difference, \($0.name)", unit: "relative", better: .lower) }
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        let path = "\(model.folder)/\(file)"
        let golden = try await GoldenModel(Set(stages.map(\.kind)), of: model)
        return try await BlockingWork.run { _ in
            guard try FileSystem.status(path) != nil else {
                throw ZooError.dataUnsuitable(
                    "the release has no file '\(file)' with reference outputs",
                    remedy:
                        "make it with the reference implementation, and release it with the model"
                )
            }
            let input = golden.input.rawValue
            let split = try TensorSplit(file: path, named: "'\(file)'", counting: input)
            return try GoldenStage(
                suite: self,
                model: golden,
                split: split,
                reference: try Checkpoint(opening: path)
            )
        }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        try zip(stages, metrics).map { stage, metric in
            let rows = try table.rows(stage.name)
            let difference = rows.map { $0[0] }.max() ?? 0
            let largest = rows.map { $0[1] }.max() ?? 0
            return Measurement(
                metric,
                difference / largest,
                samples: rows.count,
                limit: stage.limit
            )
        }
    }
}
