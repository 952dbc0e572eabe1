// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// Whether a model is more surprised by impossible than by possible clips.
///
/// Samples: pairs `possible` and `impossible` (U8, [samples, frames, height, width, 3]) and `kind` (F32,
/// [samples, 1]), an index into the parameter `kinds`; or matching movies of held scenes, whose kind is their block. For each window of a clip and each context, the encoder
/// sees the first frames of the window, the predictor predicts the latents of all others, and the error is the
/// mean over the tokens of the horizon and over elements. A clip's surprise is pooled over windows, then
/// averaged over contexts.
///
/// Source: facebookresearch/jepa-intuitive-physics `evaluation_code/evals/intuitive_physics/eval.py`:
/// windows, contexts, relative and absolute accuracy, AUROC of the negative loss.
struct SurpriseSuite: EvaluationSuite {
    static let id = SuiteID(name: "surprise", version: 1)

    enum ErrorKind: String, CaseIterable { case absolute, squared }
    enum Horizon: String, CaseIterable { case next, rest }
    enum Pool: String, CaseIterable { case mean, maximum }
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
    private let pool: Pool
    let kinds: [String]
    private let split: String
    /// How movies of held data become the input of the model; nil for clips of a data set.
    let preparation: HeldPreparation?

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
        pool = try parameters.choice("pool", of: Pool.self)
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

    var metrics: [MetricDefinition] {
        kinds.flatMap { kind in
            ["relative accuracy", "absolute accuracy", "AUROC"].map {
                MetricDefinition("\($0), \(kind)", unit: "fraction", better: .higher)
            }
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
                "the split '\(self.split)' has fewer than two pairs of the kind '\(kinds[kind])'"
            )
        }
        return samples
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        // Before anything is computed.
        _ = try await BlockingWork.run { _ in try samplesOfKinds(data) }
        return try SurpriseStage(
            suite: self,
            model: model,
            encoder: try await model.encoder(),
            pairs: try pairs(data),
            of: data
        )
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let (possible, impossible) = (try table.rows("possible"), try table.rows("impossible"))
        var result: [Measurement] = []
        for (kind, chosen) in try samplesOfKinds(data).enumerated() {
            let real = chosen.map { surprise(possible[$0]) }
            let fake = chosen.map { surprise(impossible[$0]) }
            let definitions = metrics[kind * 3..<kind * 3 + 3].map { $0 }
            let relative = zip(real, fake).count { $0 < $1 }
            let threshold = SurpriseMetrics.threshold(of: real)
            let right = real.count { $0 < threshold } + fake.count { $0 > threshold }
            result += [
                Measurement(definitions[0], share: relative, of: chosen.count),
                Measurement(definitions[1], share: right, of: 2 * chosen.count),
                Measurement(
                    definitions[2],
                    SurpriseMetrics.areaUnderCurve(low: real, high: fake),
                    samples: 2 * chosen.count
                ),
            ]
        }
        return result
    }

    /// Pools the errors [windows · contexts] of a clip.
    private func surprise(_ errors: [Double]) -> Double {
        let contexts = method.contexts.count
        let windows = errors.count / contexts
        let pooled = (0..<contexts).map { context in
            let values = (0..<windows).map { errors[$0 * contexts + context] }
            return pool == .mean
                ? values.reduce(0, +) / Double(windows) : values.max() ?? 0
        }
        return pooled.reduce(0, +) / Double(contexts)
    }
}

/// The numbers of a measurement of surprise.
enum SurpriseMetrics {
    /// The share of possible clips that the threshold of absolute accuracy lets pass.
    private static let quantile = 0.9

    /// The threshold of absolute accuracy: of the sorted surprises of possible clips, that with the index
    /// ⌈0.9 n⌉, counted from 0, or the last.
    static func threshold(of possible: [Double]) -> Double {
        let sorted = possible.sorted()
        return sorted[min(Int((quantile * Double(sorted.count)).rounded(.up)), sorted.count - 1)]
    }

    /// The probability that a number of `high` is above one of `low`; equal ones count half.
    ///
    /// The area under the curve of true over false positives, by the Mann-Whitney statistic.
    static func areaUnderCurve(low: [Double], high: [Double]) -> Double {
        let ranked = (low.map { ($0, false) } + high.map { ($0, true) }).sorted { $0.0 < $1.0 }
        var (wins, below, start) = (0.0, 0, 0)
        while start < ranked.count {
            var end = start
            while end < ranked.count, ranked[end].0 == ranked[start].0 { end += 1 }
            let above = ranked[start..<end].count(where: \.1)
            let equal = end - start - above
            wins += Double(above) * (Double(below) + Double(equal) / 2)
            below += equal
            start = end
        }
        return wins / (Double(low.count) * Double(high.count))
    }
}
