// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooDrawing
internal import ZooEval
internal import ZooFiles
internal import ZooStore
internal import ZooTensor
internal import ZooValidate

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
            The suite to run: the name of a definition in the 'suites' folder of the model or among \
            those that ship with ami-zoo, or a .json file. Repeatable. Default: all definitions of \
            the model.
            """
    )
    var suite: [String] = []

    @Option(help: "The description of a folder that is not installed. Default: the one in it.")
    var description: String?

    @Option(
        help: """
            A probe that was published for the model: an installed one, a folder that 'ami-zoo \
            convert' wrote, or a file that the catalogue names, such as ssv2-vitl-16x2x3.pt.
            """
    )
    var probe: String?

    @Option(
        help: """
            The folder of the catalogue that describes the file of --probe. Default: the catalogue \
            that ships with ami-zoo.
            """
    )
    var catalogue: String?

    @OptionGroup var held: HeldDataOptions
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
        help: "Compute no samples; report from the results in this folder and --work. Repeatable."
    )
    var merge: [String] = []

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard shard == nil || merge.isEmpty else {
            throw ValidationError("--shard computes and --merge does not; use one of them")
        }
        guard catalogue == nil || probe != nil else {
            throw ValidationError("--catalogue requires --probe")
        }
    }

    static func shard(_ text: String) throws -> Shard {
        guard let shard = Shard(text) else {
            throw ValidationError("'\(text)' is not a part such as 2/8")
        }
        return shard
    }

    func report() async throws -> EvaluateOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "evaluate")
        let surroundings = Surroundings()
        let store = try surroundings.store
        let inputs = SuiteInputs(
            registry: try surroundings.registry(registry, network),
            store: store,
            streams: network.connections,
            held: SuiteInputs.HeldPaths(held.paths, spool: surroundings.spool)
        )
        let work = work.map(FileSystem.absolute) ?? store.evaluation
        let folders = merge.isEmpty ? [work] : merge.map(FileSystem.absolute) + [work]
        let (wanted, shard, merges) = (suite, shard, !merge.isEmpty)
        let (description, catalogue) = (description, catalogue)
        let probe = try probe.map { text throws(ZooError) in
            try ProbeArgument(text, catalogue: catalogue)
        }
        return try await computation.run {
            let subject = try await computation.location.subject(description)
            let definitions = try await BlockingWork.run { _ in
                try SuiteInputs.definitions(
                    wanted,
                    of: subject,
                    shipped: ShippedFiles.current.suites
                )
            }
            guard !definitions.isEmpty else {
                throw ZooError(
                    .suiteMissing,
                    "\(subject.reference) defines no suites",
                    remedy: "give the file of a definition with --suite"
                )
            }
            try await subject.requireIntact(store)
            func reports(_ probe: EvaluatedProbe?) async throws -> [EvaluationReport] {
                let model = EvaluatedModel(
                    folder: subject.folder,
                    digest: subject.digest,
                    probe: probe
                )
                var reports: [EvaluationReport] = []
                for definition in definitions {
                    let run = try await EvaluationRun(
                        definition,
                        of: model,
                        on: try await inputs.data(definition.data)
                    )
                    if !merges {
                        try await run.compute(shard ?? .whole, in: work, on: computation.pool) {
                            computation.progress.update($0.completed, of: $0.total)
                        }
                    }
                    if shard == nil { reports.append(try await run.report(from: folders)) }
                }
                return reports
            }
            let found =
                if let probe {
                    try await probe.with(
                        in: store,
                        note: { computation.progress.note($0) },
                        reports
                    )
                } else {
                    try await reports(nil)
                }
            // What was measured is what was verified only if it still is the same.
            try await subject.requireIntact(store)
            return EvaluateOutcome(
                subject: subject,
                reports: found,
                names: definitions.map(\.name),
                shard: shard,
                work: work,
                time: computation.time
            )
        }
    }
}

extension ModelLocation {
    /// What is evaluated: the installed release, or the folder, packed in memory.
    ///
    /// - Parameter description: the file that describes a folder; nil for the one in it.
    /// - Returns: what is evaluated.
    /// - Throws: as ``PackRequest`` and ``Packer`` when the folder is no model.
    func subject(_ description: String?) async throws -> ValidationSubject {
        if let release { return try ValidationSubject(release) }
        let request = try await BlockingWork.run { [folder] cancellation in
            try PackRequest(
                folder: folder,
                description: description,
                compression: .zstd,
                cancellation
            )
        }
        return try await ValidationSubject(packing: request)
    }
}

struct EvaluateOutcome: Report {
    let subject: ValidationSubject
    let reports: [EvaluationReport]
    let names: [String]
    let shard: Shard?
    let work: String
    let time: Duration

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "reference": .string(subject.reference.description),
            "digest": .string(subject.digest.description),
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
                + "kernels \(report.kernels.joined(separator: ", "))"
                + (report.decoders.isEmpty
                    ? ""
                    : ", decoders "
                        + report.decoders.sorted { $0.key < $1.key }
                        .map { "\($0.key): \($0.value)" }.joined(separator: ", "))
                + (report.probe.map { ", probe \($0.short)" } ?? "") + "\n"
                + Table.text(["METRIC", "VALUE", "UNIT", "95 %", "SAMPLES"], rows)
        }.joined(separator: "\n\n")
    }

    private static func number(_ value: Double) -> String { Float(value).fixed4 }
}
