// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooDrawing
internal import ZooEval
internal import ZooFiles
internal import ZooInference
internal import ZooStore
internal import ZooTensor

/// `ami-zoo evaluate`.
struct EvaluateCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure an installed model with evaluation suites.",
        discussion: """
            The model and the data set of a suite are verified before anything is measured. Results \
            of each sample are stored, so that the same command continues after an interruption.
            """
    )

    @Argument(help: "An installed model, or the folder of a release.")
    var model: String

    @Option(
        help: """
            The suite to run: the name of a definition in the 'suites' folder of the model, or a \
            .json file. Repeatable. Default: all definitions of the model.
            """
    )
    var suite: [String] = []

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions

    @Option(help: "The folder of stored results. Default: a folder in the local store.")
    var work: String?

    @Option(
        help: "Compute one part of the samples only, such as 2/8, and report nothing.",
        transform: EvaluateCommand.shard
    )
    var shard: Shard?

    @Option(
        help: "Compute nothing, and report from the results in this folder and --work. Repeatable."
    )
    var merge: [String] = []

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard shard == nil || merge.isEmpty else {
            throw ValidationError("--shard computes and --merge does not; use one of them")
        }
    }

    private static func shard(_ text: String) throws -> Shard {
        guard let shard = Shard(text) else {
            throw ValidationError("'\(text)' is not a part such as 2/8")
        }
        return shard
    }

    func report() async throws -> EvaluateOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "evaluate")
        guard let release = computation.location.release else {
            throw ZooError(
                .notARelease,
                "'\(model)' is not a release, so nothing says which bytes would be measured",
                remedy: "run 'ami-zoo pack' and 'ami-zoo pull', and evaluate the pulled model"
            )
        }
        let evaluator = Evaluator(
            release: release,
            surroundings: Surroundings(),
            registry: registry,
            network: network
        )
        let work = try work.map(FileSystem.absolute) ?? "\(Surroundings().store.root)/evaluation"
        let folders = merge.isEmpty ? [work] : merge.map(FileSystem.absolute) + [work]
        let (wanted, shard, merges) = (suite, shard, !merge.isEmpty)
        return try await computation.run {
            let definitions = try await BlockingWork.run { _ in
                try evaluator.definitions(wanted)
            }
            try await evaluator.verify(release)
            let evaluated = try await EvaluatedModel(
                folder: release.folder,
                digest: release.digest
            )
            var reports: [EvaluationReport] = []
            for definition in definitions {
                let run = try await EvaluationRun(
                    definition,
                    of: evaluated,
                    on: try await evaluator.data(definition.data)
                )
                if !merges {
                    try await run.compute(shard ?? .whole, in: work, on: computation.pool) {
                        computation.progress.update($0.completed, of: $0.total)
                    }
                }
                if shard == nil { reports.append(try await run.report(from: folders)) }
            }
            return EvaluateOutcome(
                release: release,
                reports: reports,
                names: definitions.map(\.name),
                shard: shard,
                work: work,
                time: computation.time
            )
        }
    }
}

/// Finds and verifies what an evaluation needs.
private struct Evaluator: Sendable {
    let release: InstalledRelease
    let surroundings: Surroundings
    let registry: RegistryOptions
    let network: NetworkOptions

    /// The definitions that are wanted; all of the model if none is named.
    func definitions(_ wanted: [String]) throws -> [SuiteDefinition] {
        let folder = "\(release.folder)/\(SuiteDefinition.folder)"
        let names = try FileSystem.names(in: folder).filter { $0.hasSuffix(".json") }.sorted()
        let files = wanted.map { $0.hasSuffix(".json") ? $0 : "\(folder)/\($0).json" }
        guard !files.isEmpty || !names.isEmpty else {
            throw ZooError(
                .suiteMissing,
                "\(release.reference) defines no suites",
                remedy: "give the file of a definition with --suite"
            )
        }
        return try (files.isEmpty ? names.map { "\(folder)/\($0)" } : files).map { path in
            guard try FileSystem.status(path) != nil else {
                let known = names.map { "'\($0.dropLast(5))'" }.joined(separator: ", ")
                throw ZooError(
                    .suiteMissing,
                    "there is no suite definition '\(path)'",
                    remedy: names.isEmpty
                        ? "give the path of a definition" : "the suites of the model are \(known)"
                )
            }
            return try SuiteDefinition(
                parsing: try FileSystem.document(path, limit: SuiteDefinition.limit)
            )
        }
    }

    /// The samples of a suite.
    func data(_ wanted: SampleSource) async throws -> EvaluationData {
        switch wanted {
        case .dataSet(let set): .dataSet(try await dataSet(set))
        case .environment(let id): .environment(id)
        case .release: .release
        }
    }

    /// A data set, pulled if it is not installed, and verified.
    private func dataSet(_ wanted: SampleSource.DataSet) async throws -> EvaluationDataSet {
        let reference = ModelReference(
            name: wanted.name,
            selector: .version(wanted.version),
            digest: wanted.digest
        )
        var request = PullRequest(reference)
        request.streams = network.connections
        let puller = Puller(
            registry: try surroundings.registry(registry, network),
            store: try surroundings.store
        )
        let found = try await puller.dataSet(request)
        try await verify(try InstalledRelease(folder: found.folder))
        return EvaluationDataSet(
            folder: found.folder,
            record: found.record,
            digest: found.digest
        )
    }

    /// Verifies every byte of a release.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.not-as-released`.
    func verify(_ release: InstalledRelease) async throws {
        let search = AnchorSearch(store: try surroundings.store)
        let subject = try await BlockingWork.run { _ in
            try VerificationSubject(release.folder, in: search.store)
        }
        let verification = try await subject.verify(search, deep: false)
        guard verification.passed else {
            throw ZooError(
                .notAsReleased,
                "'\(release.folder)' is not as released"
                    + (verification.findings.first.map { ": \($0.message)" } ?? ""),
                remedy: "run 'ami-zoo repair \(release.folder)'"
            )
        }
    }
}

struct EvaluateOutcome: Report {
    let release: InstalledRelease
    let reports: [EvaluationReport]
    let names: [String]
    let shard: Shard?
    let work: String
    let time: Duration

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "reference": .string(release.reference.description),
            "digest": .string(release.digest.description),
            "suites": .array(names.map { .string($0) }),
            "reports": .array(reports.map(\.json)),
            "work": .string(work),
            "seconds": .number(time.secondsToMilliseconds),
        ]
        if let shard { members["shard"] = .string(shard.description) }
        return .object(members)
    }

    var text: String {
        if let shard {
            return "part \(shard) of \(names.joined(separator: ", ")) is stored in \(work)"
        }
        return reports.map { report in
            let rows = report.measurements.map { measurement in
                [
                    measurement.metric.name, Self.number(measurement.value),
                    measurement.metric.unit,
                    measurement.interval.map { "\(Self.number($0.low)) to \(Self.number($0.high))" }
                        ?? "–",
                    "\(measurement.samples)",
                ]
            }
            return
                "\(report.definition.name): \(report.definition.suite) on \(report.definition.data), "
                + "kernels \(report.kernels.joined(separator: ", "))\n"
                + Table.text(["METRIC", "VALUE", "UNIT", "95 %", "SAMPLES"], rows)
        }.joined(separator: "\n\n")
    }

    private static func number(_ value: Double) -> String { Float(value).fixed4 }
}
