// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// How the features of a clip become one result.
enum Pooling: String, ExpressibleByArgument, CaseIterable {
    case none, mean
}

/// The type that a model computes in, whatever its weights are stored in.
enum Precision: String, ExpressibleByArgument, CaseIterable {
    case f32
}

/// Options of commands that run a model.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Threads to compute on; otherwise one for each processor.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be 1 to 1024")
        }
    }

    var pool: ComputePool { threads.map { ComputePool(threads: $0) } ?? .shared }

    /// Threads of its own, which note in `profile` what they spend their time on.
    func pool(profile: Profile) -> ComputePool {
        ComputePool(threads: threads ?? ComputePool.availableProcessors, profile: profile)
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
    var pool = Pooling.none

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
        let pool = profile.map(compute.pool(profile:)) ?? compute.pool
        let clock = ContinuousClock()
        let start = clock.now
        let path = try TensorOutput.file(
            destination,
            apartFrom: inputs + [location.folder]
        ).path
        let (result, names) = try await Interruption.cancelling { [self] in
            let model = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
                try ModelFamily.load(folder: location.folder)
            }
            let reader = InputReader(location.folder, model.input, reading)
            let items = try await BlockingWork.run { _ in try reader.items(inputs) }
            let view = ComputeProgress(output, stage: "embed", total: items.count)
            defer { view.close() }
            var features = FeatureRows(isPooled: self.pool == .mean)
            var batch = InputBatch()
            for item in items {
                let clip = try await reader.clip(item)
                if !batch.takes(clip) {
                    try await features.append(batch.encode(model, view, on: pool), of: batch)
                    batch = InputBatch()
                }
                batch.append(clip)
            }
            try await features.append(batch.encode(model, view, on: pool), of: batch)
            return (features.joined(), features.names)
        }
        try await BlockingWork.run { _ in
            try TensorOutput.write(result, named: "last_hidden_state", to: path)
        }
        let report = profile.map { ProfileReport($0.totals) }
        if let report, !output.json { Console.raw(report.text + "\n") }
        return EmbedOutcome(
            path: path,
            inputs: names,
            shape: result.shape,
            time: clock.now - start,
            profile: report
        )
    }
}

/// Writes what a command computed in the format that the path's ending names.
enum TensorOutput {
    /// The file to write, checked.
    ///
    /// - Throws: as ``OutputFile``.
    static func file(_ path: String, apartFrom sources: [String]) throws(ZooError) -> OutputFile {
        try OutputFile(path, endings: [".safetensors", ".npy"], apartFrom: sources)
    }

    /// Writes a tensor and, in safetensors, what goes with it.
    ///
    /// - Parameters:
    ///   - tensor: What the command is about; all that a `.npy` file holds.
    ///   - name: Its name in a safetensors file.
    ///   - companions: What goes with it there.
    ///   - path: Where to write.
    /// - Throws: ``ZooError`` with an `io.*` code.
    static func write(
        _ tensor: Tensor,
        named name: String,
        with companions: [String: StoredTensor] = [:],
        to path: String
    ) throws(ZooError) {
        try MappedFile.requireAllIntact()
        if path.hasSuffix(".npy") {
            try NumPyWriter.write(tensor, to: path)
        } else {
            var tensors = companions
            tensors[name] = StoredTensor(tensor)
            try SafetensorsWriter.write(tensors, to: path)
        }
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
