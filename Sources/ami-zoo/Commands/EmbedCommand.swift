// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ArgumentParser
internal import ZooCore
internal import ZooInference
internal import ZooTensor

extension EmbedRun.Pooling: ExpressibleByArgument {}

/// The dtype that a model computes in, independent of the dtype of its weights.
enum Precision: String, ExpressibleByArgument, CaseIterable {
    case f32
}

/// `ami-zoo embed`.
struct EmbedCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Compute the features of images and videos with a model's encoder.",
        discussion: """
            The model is an installed model, or a folder that transformers wrote for a family that \
            ami-zoo supports. Writes one tensor 'last_hidden_state' of shape [inputs, tokens, width], \
            or [inputs, width] with '--pool mean', in the order of the inputs. A .npy file holds the \
            tensor without its name.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(help: InputOptions.help)
    var inputs: [String]

    @Option(name: .customLong("output"), help: "The file to write: .safetensors or .npy.")
    var destination: String

    @Option(help: "'mean' averages the tokens of each input.")
    var pool = EmbedRun.Pooling.none

    @Option(help: "The precision of the computation.")
    var precision = Precision.f32

    @Flag(name: .customLong("profile"), help: "Show where the time was spent.")
    var isProfiled = false

    @OptionGroup var reading: InputOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> EmbedOutcome {
        let profile = isProfiled ? Profile() : nil
        let computation = try ModelComputation(
            model,
            compute,
            output,
            stage: "embed",
            profile: profile
        )
        let folder = computation.location.folder
        let writer = try FeatureWriter(destination, apartFrom: inputs + [folder])
        let features = try await computation.run { [self] in
            let run = try await EmbedRun(
                folder: folder,
                selection: reading.selection,
                pooling: pool,
                onNote: { computation.progress.note($0) }
            )
            return try await run.features(of: inputs, on: computation.pool) {
                computation.progress.show($0)
            }
        }
        try await computation.write {
            try writer.write(features.values, named: "last_hidden_state")
        }
        let report = profile.map { ProfileReport($0.totals) }
        if let report, !output.json { Console.raw(report.text + "\n") }
        return EmbedOutcome(
            path: writer.path,
            inputs: features.names,
            shape: features.values.shape,
            time: computation.time,
            profile: report
        )
    }
}

struct EmbedOutcome: Report {
    let path: String
    /// The input of each row.
    let inputs: [String]
    let shape: Shape
    let time: Duration
    let profile: ProfileReport?

    var json: JSONValue {
        var fields: [String: JSONValue] = [
            "output": .string(path), "tensor": "last_hidden_state",
            "inputs": .array(inputs.map(JSONValue.string)),
            "shape": .array(shape.sizes.map(JSONValue.integer)),
            "seconds": .number(time.secondsToMilliseconds),
        ]
        fields["profile"] = profile?.json
        return .object(fields)
    }

    var text: String { "last_hidden_state \(shape) in \(time.shortText)\n\(path)" }
}
