// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
public import ZooModels
public import ZooTensor

/// Computes features of input files with the model of a folder.
///
///     let run = try await EmbedRun(folder: "model")
///     let features = try await run.features(of: ["photo.jpg"])
///     print(features.values.shape)  // [1, tokens, width]
public struct EmbedRun: Sendable {
    /// How the tokens of an input are pooled.
    public enum Pooling: String, CaseIterable, Sendable {
        /// Keeps all tokens.
        case none
        /// Averages the tokens.
        case mean
    }

    /// Features of several inputs.
    public struct Features: Sendable {
        /// [rows, tokens, width], or [rows, width] for averaged tokens.
        public let values: Tensor
        /// The input of each row; a tensor file with several samples has several rows.
        public let names: [String]
    }

    /// The model.
    public let model: any JEPAEncoder
    /// Reads the inputs.
    public let reader: InputReader
    /// How the tokens of an input are pooled.
    public var pooling: Pooling

    /// Loads the model of a folder.
    ///
    /// - Parameters:
    ///   - folder: a model folder with `config.json` and weights.
    ///   - selection: the frames of a video to read.
    ///   - pooling: how the tokens of an input are pooled.
    ///   - onNote: receives warnings about inputs; see ``InputReader``.
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    public init(
        folder: String,
        selection: FrameSelection = FrameSelection(),
        pooling: Pooling = .none,
        onNote: (@Sendable (String) -> Void)? = nil
    ) async throws {
        let loaded = try await LoadedEncoder(folder: folder, selection: selection, onNote: onNote)
        model = loaded.model
        reader = loaded.reader
        self.pooling = pooling
    }

    /// Encodes inputs; small inputs of the same shape are encoded in batches.
    ///
    /// - Parameters:
    ///   - paths: at least one image, video, folder of frames, or `.safetensors` file; a folder
    ///     stands for the images in it for an image model, and for one clip for a video model.
    ///   - pool: the threads to compute on.
    ///   - progress: called from any thread; one step per input.
    /// - Returns: the features in the order of the inputs.
    /// - Throws: `ZooError` with code `input.shapes-differ` if inputs have different numbers of
    ///   tokens and tokens are not averaged, `model.result-not-finite`, or a code of
    ///   ``InputReader/clip(_:)``; `CancellationError`.
    public func features(
        of paths: [String],
        on pool: ComputePool = .shared,
        progress: (@Sendable (RunProgress) -> Void)? = nil
    ) async throws -> Features {
        precondition(!paths.isEmpty, "no inputs")
        let reader = reader
        let items = try await BlockingWork.run { _ in try reader.expand(paths) }
        let counter = StepCounter(total: items.count, progress)
        var rows = FeatureRows(pooling)
        var batch = InputBatch()
        for item in items {
            let input = try await reader.clip(item)
            if !batch.accepts(input) {
                try rows.append(try await encode(batch, counter, on: pool), of: batch)
                batch = InputBatch()
            }
            batch.append(input)
        }
        try rows.append(try await encode(batch, counter, on: pool), of: batch)
        return rows.joined
    }

    private func encode(
        _ batch: InputBatch,
        _ counter: StepCounter,
        on pool: ComputePool
    ) async throws -> Tensor {
        let encoding = try await model.encode(
            batch.pixelValues,
            visible: nil,
            options: counter.forward(),
            on: pool
        )
        counter.advance(by: batch.inputs.count)
        return encoding.tokens.values
    }
}

/// Collects the features of batches and joins them into one tensor.
private struct FeatureRows {
    private let pooling: EmbedRun.Pooling
    private var parts: [Tensor] = []
    private var names: [String] = []

    init(_ pooling: EmbedRun.Pooling) { self.pooling = pooling }

    /// Adds [rows, tokens, width] of a batch.
    mutating func append(_ features: Tensor, of batch: InputBatch) throws(ZooError) {
        let part = pooling == .mean ? features.meanOverTokens : features
        if let first = parts.first,
            first.shape.sizes.dropFirst() != part.shape.sizes.dropFirst()
        {
            throw ZooError(
                .inputShapesDiffer,
                "the features of '\(batch.names[0])' have the shape \(part.shape), and those of "
                    + "'\(names[0])' \(first.shape)",
                remedy: "embed inputs of different sizes separately, or with '--pool mean'"
            )
        }
        parts.append(part)
        names += batch.names
    }

    var joined: EmbedRun.Features {
        EmbedRun.Features(values: Tensor(joining: parts), names: names)
    }
}

extension Tensor {
    /// [batch, tokens, width] to [batch, width], summed in double precision.
    fileprivate var meanOverTokens: Tensor {
        let (batch, tokens, width) = (shape[0], shape[1], shape[2])
        var sums = [Double](repeating: 0, count: batch * width)
        withValues { source in
            for row in 0..<batch * tokens {
                let target = row / tokens * width
                for column in 0..<width {
                    sums[target + column] += Double(source[row * width + column])
                }
            }
        }
        return Tensor(
            shape: Shape([batch, width]),
            values: sums.map { Float($0 / Double(tokens)) }
        )
    }
}
