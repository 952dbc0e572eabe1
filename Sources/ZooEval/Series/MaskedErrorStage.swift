// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// The error of each token of a window, predicted from the tokens outside its block.
///
/// Each block of some tokens is hidden in turn: the encoder sees all others, the predictor predicts those of the block,
/// and the error of a token is the squared difference from the target, the mean over elements. Targets are the
/// features of the whole window, each token normalised to mean 0 and variance 1.
struct MaskedErrorStage: SampleStage {
    private let windows: SeriesWindows
    private let encoder: SeriesJEPAModel
    private let predictor: any MaskedPredictor
    private let block: Int

    /// Describes the errors of all windows of a split.
    ///
    /// - Parameters:
    ///   - windows: the windows.
    ///   - block: the number of tokens that are hidden together; the last block may be shorter.
    ///   - model: the model.
    /// - Throws: as ``SeriesWindows/encoder(of:)``; `evaluation.data-unsuitable` when a block is a whole window.
    init(_ windows: SeriesWindows, block: Int, of model: EvaluatedModel) async throws {
        self.windows = windows
        self.block = block
        encoder = try await windows.encoder(of: model)
        predictor = try encoder.requirePredictor()
        guard block < tokens else {
            throw ZooError.dataUnsuitable(
                "a window has \(tokens) tokens, and a block of \(block) leaves none to predict from",
                remedy: "choose a 'block' of at most \(tokens - 1) tokens"
            )
        }
    }

    private var tokens: Int { encoder.input.frames / encoder.input.tubelet }

    var definition: JSONValue { ["errors": "masked", "block": .integer(block)] }
    var columns: [String: Int] { ["errors": tokens] }
    var samples: Int { windows.count }
    var chunk: Int { 64 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        let values = try await BlockingWork.run { _ in try windows.values(samples) }
        let options = ForwardOptions()
        let whole = try await encoder.encode(values, on: pool)
        let targets = try predictor.predictionTargets(of: whole).values.values
        var errors = [Float](repeating: 0, count: samples.count * tokens)
        for start in stride(from: 0, to: tokens, by: block) {
            let hidden = Array(start..<min(start + block, tokens))
            let seen = (0..<tokens).filter { !hidden.contains($0) }
            func selection(_ ids: [Int]) throws(ZooError) -> TokenSelection {
                try TokenSelection(Array(repeating: ids, count: samples.count))
            }
            let context = try await encoder.encode(values, visible: selection(seen), on: pool)
            let predicted = try await predictor.predict(
                selection(hidden),
                from: context.context,
                options: options,
                on: pool
            ).values
            let (found, width) = (predicted.values, predicted.shape[2])
            for sample in 0..<samples.count {
                for (place, token) in hidden.enumerated() {
                    let left = (sample * hidden.count + place) * width
                    let right = (sample * tokens + token) * width
                    var sum = 0.0
                    for element in 0..<width {
                        let difference = Double(found[left + element] - targets[right + element])
                        sum += difference * difference
                    }
                    errors[sample * tokens + token] = Float(sum / Double(width))
                }
            }
        }
        return ["errors": Tensor(shape: Shape([samples.count, tokens]), values: errors)]
    }
}
