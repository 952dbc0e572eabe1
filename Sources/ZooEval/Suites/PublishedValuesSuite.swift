// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// Numbers that somebody published for one file, computed again for those who hold the file.
///
/// `last-hidden-state`: the first tokens and elements of the features of the first clip. `class`: the rank and the
/// probability of a class of a published classifier.
struct PublishedValuesSuite: SingleStageSuite {
    static let id = SuiteID(name: "published-values", version: 1)

    /// What was published.
    enum Output: Sendable {
        /// The first elements of the first tokens, token by token.
        case lastHiddenState([Double], tokens: Int)
        /// The most probable class, and its probability.
        case topClass(Int, probability: Double)

        fileprivate enum Kind: String, CaseIterable {
            case lastHiddenState = "last-hidden-state"
            case topClass = "class"
        }
    }

    private let preparation: HeldPreparation
    private let output: Output
    private let limit: Measurement.Limit
    private let split: String

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        split = try definition.heldSource().split
        preparation = try HeldPreparation(parameters)
        let tolerance = try parameters.number("tolerance")
        guard tolerance > 0, tolerance.isFinite else {
            throw parameters.invalid("tolerance", "must be a positive number")
        }
        limit = Measurement.Limit(
            value: tolerance,
            reason: try parameters.string("reason", maximum: 1000)
        )
        switch try parameters.choice("output", of: Output.Kind.self) {
        case .lastHiddenState:
            let tokens = try parameters.integer("tokens", in: 1...64)
            let expected = try parameters.numbers("expected", maximum: 4096)
            guard !expected.isEmpty, expected.count % tokens == 0 else {
                throw parameters.invalid(
                    "expected",
                    "must have as many elements for each of 'tokens'"
                )
            }
            output = .lastHiddenState(expected, tokens: tokens)
        case .topClass:
            let probability = try parameters.number("probability")
            guard (0...1).contains(probability) else {
                throw parameters.invalid("probability", "must be from 0 to 1")
            }
            output = .topClass(
                try parameters.integer("class", in: 0...1_000_000),
                probability: probability
            )
        }
    }

    var metrics: [MetricDefinition] {
        switch output {
        case .lastHiddenState:
            [MetricDefinition("difference, last-hidden-state", unit: "absolute", better: .lower)]
        case .topClass(let index, _):
            [
                MetricDefinition("rank of class \(index)", unit: "rank", better: .lower),
                MetricDefinition(
                    "difference, probability of class \(index)",
                    unit: "fraction",
                    better: .lower
                ),
            ]
        }
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        let held = try data.held()
        let split = try held.labelled(split)
        guard split.samples.count == 1 else {
            throw ZooError.dataUnsuitable(
                "the split '\(split.name)' has \(split.samples.count) samples, and values are published for one"
            )
        }
        return try await PublishedValuesStage(
            output,
            of: split.samples[0],
            in: held,
            preparation,
            with: model
        )
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let values = try table.rows(PublishedValuesStage.values)[0]
        let metrics = metrics
        switch output {
        case .lastHiddenState(let expected, _):
            let differences = zip(values, expected).map { abs($0 - $1) }
            return [
                Measurement(metrics[0], differences.max() ?? 0, samples: 1, limit: limit)
            ]
        case .topClass(_, let probability):
            return [
                Measurement(
                    metrics[0],
                    values[0],
                    samples: 1,
                    limit: Measurement.Limit(value: 1, reason: "it is the published class")
                ),
                Measurement(metrics[1], abs(values[1] - probability), samples: 1, limit: limit),
            ]
        }
    }
}

/// The numbers of one file.
private struct PublishedValuesStage: SampleStage {
    /// The name of the column.
    static let values = "values"

    private enum Network: Sendable {
        case encoder(any JEPAEncoder, tokens: Int, elements: Int)
        case classifier(VideoClassifier, index: Int)
    }

    private let network: Network
    private let sample: HeldData.Sample
    private let reader: HeldSampleReader
    private let preparation: HeldPreparation
    let probe: ContentDigest?

    init(
        _ output: PublishedValuesSuite.Output,
        of sample: HeldData.Sample,
        in data: HeldData,
        _ preparation: HeldPreparation,
        with model: EvaluatedModel
    ) async throws {
        self.sample = sample
        self.preparation = preparation
        let input: ModelInput
        switch output {
        case .lastHiddenState(let expected, let tokens):
            let encoder = try await model.encoder()
            network = .encoder(encoder, tokens: tokens, elements: expected.count / tokens)
            input = encoder.input
            probe = nil
        case .topClass(let index, _):
            let classifier = try await model.classifier()
            guard let classes = classifier.probe.classes.first, index < classes.count else {
                throw ZooError.dataUnsuitable("the model has no class \(index)")
            }
            network = .classifier(classifier, index: index)
            input = classifier.backbone.input
            probe = model.probe?.digest
        }
        reader = try preparation.reader(of: data, for: model, input)
    }

    var definition: JSONValue {
        let output: JSONValue =
            switch network {
            case .encoder(_, let tokens, let elements):
                ["tokens": .integer(tokens), "elements": .integer(elements)]
            case .classifier(_, let index): ["class": .integer(index)]
            }
        return [
            "suite": .string(PublishedValuesSuite.id.description), "output": output,
            "preparation": preparation.json,
        ]
    }
    var decoders: [String: String] { preparation.decoders }
    var columns: [String: Int] {
        switch network {
        case .encoder(_, let tokens, let elements): [Self.values: tokens * elements]
        case .classifier: [Self.values: 2]
        }
    }
    var samples: Int { 1 }
    var chunk: Int { 1 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        let pixels = try await reader.pixels(of: sample)
        let values: [Float]
        switch network {
        case .encoder(let encoder, let tokens, let elements):
            let sizes = pixels.shape.sizes
            let found = try await encoder.encode(
                pixels.reshaped(Shape([sizes[0] * sizes[1]] + sizes.dropFirst(2))),
                visible: nil,
                options: ForwardOptions(),
                on: pool
            ).tokens.values
            let (count, width) = (found.shape[1], found.shape[2])
            guard tokens <= count, elements <= width else {
                throw ZooError.dataUnsuitable(
                    "the model has \(count) tokens of \(width) elements, fewer than \(tokens) of \(elements)",
                    remedy: "evaluate the model that the values were published for"
                )
            }
            let all = found.values
            values = (0..<tokens).flatMap { all[$0 * width..<$0 * width + elements] }
        case .classifier(let classifier, let index):
            let probabilities = try await classifier.probabilities(of: pixels, on: pool)
            values = [Float(probabilities.rank(of: index)), probabilities[index]]
        }
        return [Self.values: Tensor(shape: [1, values.count], values: values)]
    }
}
