// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
package import ZooCore
package import ZooEval
internal import ZooFiles
package import ZooStore
package import ZooTensor

/// What a validation gave.
package struct Validation: Sendable {
    /// The report.
    package let report: ValidationReport
    /// What each suite that ran measured, in the order of the report.
    package let evaluations: [EvaluationReport]
}

/// Validates a release: integrity, rules, parity, suites, claims, regression.
package struct Validator: Sendable {
    /// How far a validation is.
    package struct Progress: Sendable {
        /// The name of the suite that is measured.
        package let suite: String
        /// The samples that are computed.
        package let completed: Int
        /// All samples of the suite.
        package let total: Int
    }

    /// The version before the one that is validated.
    package struct Previous: Sendable {
        /// Its record.
        package let record: ReleaseRecord
        /// The digest of its manifest.
        package let digest: ContentDigest

        /// Names the version before.
        package init(record: ReleaseRecord, digest: ContentDigest) {
            self.record = record
            self.digest = digest
        }
    }

    private let subject: ValidationSubject
    private let inputs: SuiteInputs
    private let store: ModelStore
    private let pool: ComputePool
    private let progress: @Sendable (Progress) -> Void

    /// Prepares a validation.
    ///
    /// - Parameters:
    ///   - subject: the release.
    ///   - inputs: where the samples come from.
    ///   - store: the local store.
    ///   - pool: the threads to compute on.
    ///   - progress: receives the progress.
    package init(
        _ subject: ValidationSubject,
        inputs: SuiteInputs,
        store: ModelStore,
        on pool: ComputePool,
        progress: @escaping @Sendable (Progress) -> Void
    ) {
        self.subject = subject
        self.inputs = inputs
        self.store = store
        self.pool = pool
        self.progress = progress
    }

    /// What a validation is compared with and stored as.
    package struct Context: Sendable {
        /// The version before; nil if there is none.
        package var previous: Previous?
        /// Why a regression is accepted; nil if it is not.
        package var acceptedRegression: String?
        /// Now.
        package let created: Timestamp
        /// The version of the program.
        package let program: String

        /// Describes a validation.
        package init(created: Timestamp, program: String) {
            self.created = created
            self.program = program
        }
    }

    /// Computes a part of the samples of all suites, and reports nothing.
    ///
    /// - Parameters:
    ///   - shard: which part.
    ///   - work: the folder of stored results.
    /// - Returns: the names of the suites; without those whose data only users hold, and that were not given.
    /// - Throws: ``ZooError`` or `CancellationError`.
    package func compute(_ shard: Shard, in work: String) async throws -> [String] {
        try await subject.requireIntact(store)
        let model = EvaluatedModel(folder: subject.folder, digest: subject.digest)
        var names: [String] = []
        for definition in try await definitions() {
            do {
                try await run(definition, of: model, shard, in: work)
                names.append(definition.name)
            } catch let error as ZooError where error.code == .heldDataMissing {
                // The report says so.
            }
        }
        return names
    }

    /// Validates.
    ///
    /// - Parameters:
    ///   - context: what to compare with.
    ///   - work: the folder of stored results.
    ///   - merge: further folders with results; nil to compute what is missing.
    /// - Returns: the report, and what the suites measured.
    /// - Throws: ``ZooError`` when the registry, the disk or the network fails; `CancellationError`. What is
    ///   wrong with the release is in the report.
    package func validate(
        _ context: Context,
        in work: String,
        merging merge: [String]? = nil
    ) async throws -> Validation {
        var integrity = try await subject.verify(store)
        var (reports, failures): ([EvaluationReport], [Finding]) = ([], [])
        var (definitions, absent): ([SuiteDefinition], [SuiteDefinition]) = ([], [])
        if !integrity.contains(where: { $0.severity == .error }) {
            let model = EvaluatedModel(folder: subject.folder, digest: subject.digest)
            do {
                definitions = try await self.definitions()
            } catch let error as ZooError where Self.isFault(error) {
                failures.append(Finding(error, path: SuiteDefinition.folder))
            }
            for definition in definitions {
                do {
                    let run = try await run(
                        definition,
                        of: model,
                        merge == nil ? .whole : nil,
                        in: work
                    )
                    reports.append(try await run.report(from: [work] + (merge ?? [])))
                } catch let error as ZooError where error.code == .heldDataMissing {
                    absent.append(definition)
                } catch let error as ZooError where Self.isFault(error) {
                    failures.append(
                        Finding(error, path: "\(SuiteDefinition.folder)/\(definition.name).json")
                    )
                }
            }
            // What was measured is what was verified only if it still is the same.
            integrity = try await subject.verify(store)
        }
        let evaluations = reports.map(\.json)
        let claims = try ValidationEvidence.compare(
            subject.record.evaluation,
            with: evaluations.map { value throws(ZooError) in try JSONObject(value) },
            withoutData: Set(absent.map(\.digest))
        )
        let report = ValidationReport(
            of: subject.record,
            subject.digest,
            created: context.created,
            program: context.program,
            machine: Machine(reports, threads: pool.threads).json,
            checks: [
                .init(
                    .integrity,
                    "every byte of \(subject.record.files.count) files, before and after the suites",
                    integrity
                ),
                RuleCheck(subject, definitions).check,
                ParityCheck(reports, definitions).check,
                SuiteCheck(reports, failures, absent: absent).check,
                ClaimCheck(claims).check,
                try RegressionCheck(context, evaluations).check,
            ],
            evaluations: evaluations,
            claims: claims
        )
        return Validation(report: report, evaluations: reports)
    }

    private func definitions() async throws -> [SuiteDefinition] {
        try await BlockingWork.run { [subject] _ in
            try SuiteInputs.definitions([], of: subject)
        }
    }

    /// Prepares a suite, and computes a part of it; nil computes nothing.
    @discardableResult
    private func run(
        _ definition: SuiteDefinition,
        of model: EvaluatedModel,
        _ shard: Shard?,
        in work: String
    ) async throws -> EvaluationRun {
        let run = try await EvaluationRun(
            definition,
            of: model,
            on: try await inputs.data(definition.data)
        )
        if let shard {
            try await run.compute(shard, in: work, on: pool) { [progress] in
                progress(
                    Progress(suite: definition.name, completed: $0.completed, total: $0.total)
                )
            }
        }
        return run
    }

    /// Whether an error is a fault of the release or of its data, and not of this machine or the network.
    private static func isFault(_ error: ZooError) -> Bool {
        switch error.code.category {
        case .badData, .integrity: true
        case .notFound: error.code != .shardMissing
        default: false
        }
    }
}
