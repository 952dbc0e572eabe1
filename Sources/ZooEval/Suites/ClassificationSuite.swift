// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// The accuracy of a classifier that was published with its model, or as a probe for it, on held images or videos.
///
/// Nothing is fitted. The probabilities of a sample are averaged over its views; the classes of the data are those of the
/// model with the same number, or with the same name.
struct ClassificationSuite: SingleStageSuite {
    static let id = SuiteID(name: "classification", version: 1)

    private let preparation: HeldPreparation
    private let matching: ClassMatching
    private let split: String
    private let top: [Int]

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        split = try definition.heldSource().split
        preparation = try HeldPreparation(parameters)
        matching = try parameters.choice("classes", of: ClassMatching.self)
        top = try parameters.integers("top", in: 1...1000, maximum: 16)
        guard !top.isEmpty, zip(top, top.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw parameters.invalid("top", "must be numbers in ascending order")
        }
    }

    var metrics: [MetricDefinition] {
        top.map { MetricDefinition("top-\($0) accuracy", unit: "fraction", better: .higher) }
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        let held = try data.held()
        let stage = try await ClassificationStage(
            try held.labelled(split),
            of: held,
            preparation,
            matching,
            with: model
        )
        if let most = top.last, most > stage.classes {
            throw ZooError.dataUnsuitable(
                "the model has \(stage.classes) classes, fewer than the \(most) of 'top'"
            )
        }
        return stage
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let ranks = try table.rows(ClassificationStage.rank).map { $0[0] }
        return zip(top, metrics).map { count, metric in
            Measurement(metric, share: ranks.count { $0 <= Double(count) }, of: ranks.count)
        }
    }
}

/// Which class of a model a class of the data is.
enum ClassMatching: String, CaseIterable {
    /// The one with the same number.
    case index
    /// The one with the same name, apart from brackets, which mark places in templates.
    case name

    /// The class of the model for each class of a split.
    ///
    /// - Parameters:
    ///   - split: the split.
    ///   - model: the classes of the model.
    /// - Returns: for each label of the split the number of the class of the model.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a class has no counterpart.
    func classes(
        of split: HeldData.Labelled,
        in model: ProbeClasses
    ) throws(ZooError) -> [Int] {
        let needed = (split.samples.map(\.label).max() ?? 0) + 1
        switch (self, split.classes) {
        case (_, .none): throw .withoutClasses(split.name)
        case (.index, let classes) where classes.count.map({ $0 != model.count }) ?? false:
            throw .dataUnsuitable(
                "the split '\(split.name)' has \(classes.count ?? 0) classes, and the model "
                    + "\(model.count)",
                remedy: "evaluate a classifier of the classes of the data"
            )
        case (.index, _):
            guard needed <= model.count else {
                throw .dataUnsuitable(
                    "the split '\(split.name)' has the class \(needed - 1), and the model classes 0 to "
                        + "\(model.count - 1)",
                    remedy: "evaluate a classifier of the classes of the data"
                )
            }
            return Array(0..<needed)
        case (.name, .numbered(_)):
            throw .dataUnsuitable(
                "the classes of the split '\(split.name)' have numbers and no names",
                remedy: "use \"classes\": \"index\""
            )
        case (.name, .named(_)) where model.labels.isEmpty:
            throw .dataUnsuitable(
                "the classes of the model have numbers and no names",
                remedy: "use \"classes\": \"index\""
            )
        case (.name, .named(let names)):
            func plain(_ name: String) -> ExactName {
                ExactName(name.filter { $0 != "[" && $0 != "]" })
            }
            let known = Dictionary(
                model.labels.enumerated().map { (plain($1), $0) },
                uniquingKeysWith: { first, _ in first }
            )
            var classes: [Int] = []
            for name in names {
                guard let found = known[plain(name)] else {
                    throw .dataUnsuitable(
                        "the model has no class '\(name)'",
                        remedy: "evaluate a classifier of the classes of the data"
                    )
                }
                classes.append(found)
            }
            return classes
        }
    }
}

/// The rank of the class of each held sample, from 1.
struct ClassificationStage: SampleStage {
    /// The name of the column.
    static let rank = "rank"

    /// The number of classes of the model.
    var classes: Int { head.count }

    private let split: HeldData.Labelled
    private let reader: HeldSampleReader
    private let preparation: HeldPreparation
    private let matching: ClassMatching
    private let classifier: VideoClassifier
    private let head: ProbeClasses
    /// The class of the model for each label.
    private let targets: [Int]
    let probe: ContentDigest?

    /// Describes the ranks of the samples of a split.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the model classifies something else; a
    ///   `model.*`, `checkpoint.*`, `media.*` or `io.*` code; `CancellationError`.
    init(
        _ split: HeldData.Labelled,
        of data: HeldData,
        _ preparation: HeldPreparation,
        _ matching: ClassMatching,
        with model: EvaluatedModel
    ) async throws {
        self.split = split
        self.preparation = preparation
        self.matching = matching
        probe = model.probe?.digest
        classifier = try await model.classifier()
        guard classifier.probe.classes.count == 1, let head = classifier.probe.classes.first else {
            throw ZooError.dataUnsuitable(
                "the model in '\(model.folder)' classifies actions, and has \(classifier.probe.classes.count) heads",
                remedy: "evaluate a classifier with one head"
            )
        }
        self.head = head
        targets = try matching.classes(of: split, in: head)
        reader = try preparation.reader(of: data, for: model, classifier.backbone.input)
    }

    var definition: JSONValue {
        [
            "suite": .string(ClassificationSuite.id.description), "split": .string(split.name),
            "classes": .string(matching.rawValue), "preparation": preparation.json,
        ]
    }
    var decoders: [String: String] { preparation.decoders }
    var columns: [String: Int] { [Self.rank: 1] }
    var samples: Int { split.samples.count }
    var chunk: Int { 16 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        var ranks: [Float] = []
        for sample in split.samples[samples] {
            let probabilities = try await classifier.probabilities(
                of: try await reader.pixels(of: sample),
                on: pool
            )
            ranks.append(Float(probabilities.rank(of: targets[sample.label])))
        }
        return [Self.rank: Tensor(shape: [samples.count, 1], values: ranks)]
    }
}

extension VideoClassifier {
    /// The probability of each class of the only head.
    ///
    /// - Parameters:
    ///   - pixels: [views, clips, frames, 3, height, width] of one sample.
    ///   - pool: the threads to compute on.
    /// - Returns: the probabilities, averaged over the views.
    /// - Throws: as ``classify(_:options:on:)``.
    func probabilities(of pixels: Tensor, on pool: ComputePool) async throws -> [Float] {
        try await classify(pixels.reshaped(Shape([1] + pixels.shape.sizes)), on: pool)
            .heads[0].probabilities.values
    }
}
