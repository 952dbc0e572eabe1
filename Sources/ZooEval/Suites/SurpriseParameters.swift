// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooModels

/// The parameters that all suites of surprise have, and the errors that follow from them.
///
/// Samples: pairs `possible` and `impossible` (U8, [samples, frames, height, width, 3]) and `kind` (F32,
/// [samples, 1]), an index into the parameter `kinds`; or matching movies of held scenes, whose kind is their block. For
/// each window of a clip and each context, the encoder sees the first frames of the window, the predictor predicts the
/// latents of all others, and the error is the mean over the tokens of the horizon and over elements.
struct SurpriseParameters: Sendable {
    enum ErrorKind: String, CaseIterable { case absolute, squared }
    enum Horizon: String, CaseIterable { case next, rest }
    enum Targets: String, CaseIterable {
        /// Each token normalised to mean 0 and variance 1.
        case layerNorm = "layer-norm"
        /// Those also less `target.mean`, over `target.scale`, of the model's read-out.
        case readOut = "read-out"
    }

    let method: SurpriseProtocol
    let error: ErrorKind
    let horizon: Horizon
    let targets: Targets
    let kinds: [String]
    private let split: String
    /// How movies of held data become the input of the model; nil for clips of a data set.
    let preparation: HeldPreparation?

    /// Reads the parameters.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        method = try SurpriseProtocol(
            window: parameters.integer("window", in: 2...4096),
            stride: parameters.integer("stride", in: 1...4096),
            contexts: parameters.integers("contexts", in: 1...4096, maximum: 64),
            maskIndex: parameters.integer("maskIndex", in: 0...1024)
        )
        error = try parameters.choice("error", of: ErrorKind.self)
        horizon = try parameters.choice("horizon", of: Horizon.self)
        targets = try parameters.choice("targets", of: Targets.self)
        kinds = try parameters.strings("kinds", maximum: 64, each: 64)
        guard !kinds.isEmpty, Set(kinds).count == kinds.count else {
            throw parameters.invalid("kinds", "must name each kind once")
        }
        split = try definition.split()
        if case .held = definition.data {
            preparation = try HeldPreparation(ofMovies: parameters)
        } else {
            preparation = nil
        }
    }

    /// The pairs of clips.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    func pairs(_ data: EvaluationData) throws(ZooError) -> SurprisePairs {
        if case .held(let held) = data { return .held(try held.pairs(split)) }
        let set = try data.dataSet()
        return .stored(try TensorSplit(try set.split(split), of: set, counting: "kind"))
    }

    /// The samples of each kind.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a sample has no kind, or a kind has
    ///   fewer than two samples.
    func samplesOfKinds(_ data: EvaluationData) throws(ZooError) -> [[Int]] {
        var samples: [[Int]] = Array(repeating: [], count: kinds.count)
        for (sample, kind) in try pairs(data).kinds(kinds).enumerated() {
            samples[kind].append(sample)
        }
        if let kind = samples.firstIndex(where: { $0.count < 2 }) {
            throw .dataUnsuitable(
                "the split '\(split)' has fewer than two pairs of the kind '\(kinds[kind])'"
            )
        }
        return samples
    }

    /// The computation of the errors, which suites of surprise with equal parameters share.
    ///
    /// - Throws: ``ZooError`` when the model or the data do not suit the suite.
    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        // Before anything is computed.
        _ = try await BlockingWork.run { _ in try samplesOfKinds(data) }
        return try SurpriseStage(
            parameters: self,
            model: model,
            encoder: try await model.encoder(),
            pairs: try pairs(data),
            of: data
        )
    }
}
