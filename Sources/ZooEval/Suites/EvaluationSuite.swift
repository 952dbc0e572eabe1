// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// A method to measure a model.
///
/// The part that takes time is a ``SampleStage``, which is computed sample by sample, stored and shared;
/// what follows from its columns is cheap and computed at the end from all samples, so that shards that are
/// merged give exactly the numbers of one run.
protocol EvaluationSuite: Sendable {
    /// The name and version.
    static var id: SuiteID { get }

    /// Reads the parameters of a definition.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ definition: SuiteDefinition) throws(ZooError)

    /// What it measures, in order.
    var metrics: [MetricDefinition] { get }

    /// Whether its numbers follow from the columns by a fit, which the kernels of the machine that merges compute.
    var fits: Bool { get }

    /// The computation for each sample: at least one stage, of equal columns, whose samples follow one another.
    ///
    /// - Throws: ``ZooError`` when the model or the data do not suit the suite.
    func stages(
        of model: EvaluatedModel,
        on data: EvaluationData
    ) async throws -> [any SampleStage]

    /// The numbers that follow from the columns of all samples.
    ///
    /// Blocking; runs on a thread of the session.
    ///
    /// - Returns: one measurement for each of ``metrics``, in order.
    /// - Throws: ``ZooError`` when the data do not suit the suite.
    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement]

    /// What to show beside the numbers.
    ///
    /// Blocking; runs on a thread of the session.
    ///
    /// - Parameters:
    ///   - measurements: what ``measure(_:on:in:)`` gave for the same columns; all values are finite.
    ///   - table: the columns of all samples.
    ///   - data: the data.
    ///   - session: the computation.
    /// - Returns: the exhibits; empty when there is nothing to draw but the numbers.
    /// - Throws: ``ZooError`` when the data do not suit the suite.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit]
}

extension EvaluationSuite {
    var fits: Bool { false }

    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] { [] }
}

/// A suite that computes all of its samples in one stage.
protocol SingleStageSuite: EvaluationSuite {
    /// The computation for each sample.
    ///
    /// - Throws: ``ZooError`` when the model or the data do not suit the suite.
    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage
}

extension SingleStageSuite {
    func stages(
        of model: EvaluatedModel,
        on data: EvaluationData
    ) async throws -> [any SampleStage] { [try await stage(of: model, on: data)] }
}

/// The suites.
package enum SuiteList {
    private struct Entry: Sendable {
        let id: SuiteID
        let make: @Sendable (SuiteDefinition) throws -> any EvaluationSuite

        init<Suite: EvaluationSuite>(_ type: Suite.Type) {
            id = Suite.id
            make = { try Suite($0) }
        }
    }

    private static let all = [
        Entry(GoldenSuite.self), Entry(TrajectorySuite.self), Entry(SurpriseSuite.self),
        Entry(SurpriseByContextSuite.self),
        Entry(AnomalySuite.self), Entry(RetrievalSuite.self), Entry(PlanningSuite.self),
        Entry(LinearProbeSuite.self), Entry(NearestNeighbourSuite.self),
        Entry(AttentiveProbeSuite.self),
        Entry(ClassificationSuite.self), Entry(PublishedValuesSuite.self),
    ]

    /// The suite of a definition.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.suite-unknown`, or `format.field-invalid` when the
    ///   parameters or metrics are not those of the suite.
    static func suite(for definition: SuiteDefinition) throws -> any EvaluationSuite {
        guard let entry = all.first(where: { $0.id == definition.suite }) else {
            let versions = all.filter { $0.id.name == definition.suite.name }.map(\.id.description)
            throw ZooError(
                .suiteUnknown,
                "the suite '\(definition.suite)' of '\(definition.name)' is not known",
                remedy: versions.isEmpty
                    ? "the suites are: \(all.map(\.id.description).joined(separator: ", "))"
                    : "this program has \(versions.joined(separator: ", ")); use a later program"
            )
        }
        let suite = try entry.make(definition)
        guard suite.metrics == definition.metrics else {
            let differing =
                zip(suite.metrics, definition.metrics).first { $0 != $1 }?.0
                ?? suite.metrics.dropFirst(definition.metrics.count).first
            throw ZooError(
                .fieldInvalid,
                "'metrics' of the suite definition '\(definition.name)' are not what "
                    + "\(definition.suite) measures with its parameters",
                remedy: differing.map {
                    "list '\($0.name)' in '\($0.unit)', \($0.direction.rawValue) is better, in its place"
                } ?? "list the first \(suite.metrics.count) metrics only"
            )
        }
        return suite
    }
}
