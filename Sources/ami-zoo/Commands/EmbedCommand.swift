// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooInference
internal import ZooTensor

extension EmbedRun.Pooling: ExpressibleByArgument {}

/// The dtype that a model computes in, independent of the dtype of its weights.
enum Precision: String, ExpressibleByArgument, CaseIterable {
    case f32
}

/// Options of commands that run a model.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Threads to compute on (default: one per processor).")
    var threads: Int?

    func validate() throws {
        let range = ComputePool.threadRange
        if let threads, !range.contains(threads) {
            throw ValidationError(
                "--threads must be \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    /// The threads to compute on; `profile` records where they spend their time.
    func pool(profile: Profile? = nil) -> ComputePool {
        guard threads != nil || profile != nil else { return .shared }
        let wanted = threads ?? ComputePool.availableProcessors
        let pool = ComputePool(threads: wanted, profile: profile)
        if pool.threads < wanted {
            Console.note("the system grants \(pool.threads) of \(wanted) threads")
        }
        return pool
    }
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
        let location = try ModelLocation(model, in: Surroundings().store)
        let profile = isProfiled ? Profile() : nil
        let pool = compute.pool(profile: profile)
        let clock = ContinuousClock()
        let start = clock.now
        let writer = try FeatureWriter(destination, apartFrom: inputs + [location.folder])
        let features = try await Interruption.cancelling { [self] in
            let view = ComputeProgress(output, stage: "embed")
            defer { view.close() }
            let run = try await EmbedRun(
                folder: location.folder,
                selection: reading.selection,
                pooling: self.pool,
                onNote: { view.note($0) }
            )
            return try await run.features(of: inputs, on: pool) { view.show($0) }
        }
        try await BlockingWork.run { _ in
            try MappedFile.requireAllIntact()
            try writer.write(features.values, named: "last_hidden_state")
        }
        let report = profile.map { ProfileReport($0.totals) }
        if let report, !output.json { Console.raw(report.text + "\n") }
        return EmbedOutcome(
            path: writer.path,
            inputs: features.names,
            shape: features.values.shape,
            time: clock.now - start,
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
