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

/// Options of commands that run a model.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Threads to compute on; otherwise one for each processor.")
    var threads: Int?

    func pool() throws -> ComputePool {
        guard let threads else { return .shared }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be 1 to 1024")
        }
        return ComputePool(threads: threads)
    }
}

/// `ami-zoo embed`.
struct EmbedCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Compute the features of a clip with a model's encoder.",
        discussion: """
            The model is an installed one or any folder that transformers wrote for a family that \
            ami-zoo knows. The result is 'last_hidden_state', [batch, tokens, width], or \
            [batch, width] with '--pool mean'; a path that ends in .npy is written as NumPy does.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(
        help: "A .safetensors file with 'pixel_values' [batch, frames, channels, rows, columns]."
    )
    var input: String

    @Option(name: .customLong("output"), help: "The file to write: .safetensors or .npy.")
    var destination: String

    @Option(help: "'mean' averages the tokens of each clip.")
    var pool = Pooling.none

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> EmbedOutcome {
        let location = try ModelLocation(model, in: Surroundings().store)
        let pool = try compute.pool()
        let clock = ContinuousClock()
        let start = clock.now
        let features = try await Interruption.cancelling { [input] in
            let model = try await BlockingWork.run { try ModelFamily.load(folder: location.folder) }
            let clip = try await BlockingWork.run { try Clip(file: input) }
            return try await model.encode(
                clip.pixelValues,
                visible: nil,
                options: ForwardOptions(),
                on: pool
            ).tokens.values
        }
        let result = self.pool == .mean ? features.meanOverTokens : features
        let path = FileSystem.absolute(destination)
        try await BlockingWork.run {
            try TensorOutput.write(result, named: "last_hidden_state", to: path)
        }
        return EmbedOutcome(path: path, shape: result.shape, time: clock.now - start)
    }
}

/// Writes what a command computed in the format that the path's ending names.
enum TensorOutput {
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
        if path.hasSuffix(".npy") {
            try NumPyWriter.write(tensor, to: path)
        } else {
            var tensors = companions
            tensors[name] = StoredTensor(tensor)
            try SafetensorsWriter.write(tensors, to: path)
        }
    }
}

extension Tensor {
    /// [batch, tokens, width] to [batch, width].
    fileprivate var meanOverTokens: Tensor {
        let (batch, tokens, width) = (shape[0], shape[1], shape[2])
        let source = values
        var sums = [Double](repeating: 0, count: batch * width)
        for row in 0..<batch * tokens {
            let target = row / tokens * width
            for column in 0..<width {
                sums[target + column] += Double(source[row * width + column])
            }
        }
        return Tensor(
            shape: Shape([batch, width]),
            values: sums.map { Float($0 / Double(tokens)) }
        )
    }
}

struct EmbedOutcome: Report {
    let path: String
    let shape: Shape
    let time: Duration

    var json: JSONValue {
        [
            "output": .string(path), "tensor": "last_hidden_state",
            "shape": .array(shape.extents.map(JSONValue.integer)),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String { "last_hidden_state \(shape) in \(time.shortText)\n\(path)" }
}
