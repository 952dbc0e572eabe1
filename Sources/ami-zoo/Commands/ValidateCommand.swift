// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooDrawing
internal import ZooEval
internal import ZooFiles
internal import ZooStore
internal import ZooTrust
internal import ZooValidate

/// `ami-zoo validate`.
struct ValidateCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check whether a model is what its release says, by measuring it again.",
        discussion: """
            Checks every byte, the rules of a release, the outputs of the reference implementation \
            and all suites of the release, compares every claim with what is measured, and the model \
            with its previous version. The folder of a model is packed in memory, so that the \
            evidence is about exactly the bytes that 'ami-zoo pack' writes. 'ami-zoo publish' \
            requires that evidence.
            """
    )

    @Argument(help: "The folder of a model, or an installed model.")
    var model: String

    @Option(help: "The description of a folder that is not installed. Default: the one in it.")
    var description: String?

    @Option(
        name: .customLong("report"),
        help: """
            The folder for report.json, report.html and statement.json. Default: a folder in the local \
            store, where 'ami-zoo publish' finds them.
            """
    )
    var reportFolder: String?

    @Option(help: "The version to compare with. Default: the highest lower one in the registry.")
    var previous: String?

    @Option(
        help: ArgumentHelp(
            "Accept that this version is worse than the previous one, for this reason.",
            valueName: "reason"
        )
    )
    var acceptRegression: String?

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

    @Option(
        help: ArgumentHelp(
            "Sign the statement with this key of yours, or private key in a PEM file.",
            valueName: "key"
        )
    )
    var key: String?

    @OptionGroup var certificates: CertificateOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard shard == nil || merge.isEmpty else {
            throw ValidationError("--shard computes and --merge does not; use one of them")
        }
        guard key == nil || shard == nil else {
            throw ValidationError("--key signs the report, and --shard makes none")
        }
        try certificates.require("--key", key)
    }

    func report() async throws -> ValidateOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "validate")
        let surroundings = Surroundings()
        let store = try surroundings.store
        let source = try surroundings.registry(registry, network)
        let work = work.map(FileSystem.absolute) ?? store.evaluation
        let merge = merge.isEmpty ? nil : merge.map(FileSystem.absolute)
        let (shard, folder, description) = (
            shard, reportFolder.map(FileSystem.absolute), description
        )
        let (accepted, named) = (acceptRegression, previous)
        // Before hours of measuring.
        let signer = try key.map { key throws(ZooError) in
            try certificates.signer(key, for: computation.location.folder)
        }
        return try await computation.run {
            let subject = try await computation.location.subject(description)
            let validator = Validator(
                subject,
                inputs: SuiteInputs(
                    registry: source,
                    store: store,
                    streams: network.connections,
                    held: SuiteInputs.HeldPaths(held.paths, spool: surroundings.spool)
                ),
                store: store,
                on: computation.pool
            ) { computation.progress.update($0.completed, of: $0.total) }
            if let shard {
                let names = try await validator.compute(shard, in: work)
                return ValidateOutcome(
                    part: "part \(shard) of \(names.joined(separator: ", ")) is stored in \(work)"
                )
            }
            let before = try await Self.evidence(of: subject, in: source)
            var context = Validator.Context(created: .now, program: AmiZoo.version)
            context.previous = try await Self.previous(of: subject, named, in: source)
            context.acceptedRegression = accepted
            let validation = try await validator.validate(context, in: work, merging: merge)
            let (report, page) = (validation.report, ValidationPage(validation).html)
            var signature: [UInt8]?
            if let (key, certificates) = signer {
                signature = try await StatementSignature.sign(
                    EvidenceStatement.testResult(of: report),
                    with: key,
                    certificates: certificates
                )
            }
            let kept = EvidenceFolder(of: subject.digest, in: store)
            let shown = folder.map { EvidenceFolder($0) } ?? kept
            try await BlockingWork.run { [signature] cancellation in
                try kept.write(report, page: page, signature: signature, cancellation)
                if folder != nil {
                    try shown.write(report, page: page, signature: signature, cancellation)
                }
            }
            return ValidateOutcome(
                report: report,
                record: subject.record,
                before: before,
                beforeSigning: await before.signing(nil),
                signer: signer?.0.publicKey,
                folder: shown.path
            )
        }
    }

    /// The evidence that the release has already: what the installed folder keeps, else what the registry has.
    private static func evidence(
        of subject: ValidationSubject,
        in registry: Registry
    ) async throws -> AttachedEvidence {
        if let release = subject.release {
            let kept = try await BlockingWork.run { _ in release.keptEvidence() }
            if !kept.isAbsent { return kept }
        }
        do {
            return try await registry.evidence(of: subject.record, subject.digest)
        } catch is ZooError {
            // A model that was never published, or no registry at hand: there is nothing to compare with.
            return .absent
        }
    }

    /// The version before a release in a registry.
    private static func previous(
        of subject: ValidationSubject,
        _ named: String?,
        in registry: Registry
    ) async throws -> Validator.Previous? {
        let reference: ModelReference
        if let named {
            reference = try ModelReference(parsing: named)
        } else {
            do {
                let index = try await registry.index(of: subject.record.name)
                let lower = index.entries.filter {
                    $0.yank == nil && $0.version < subject.record.version
                }
                guard let entry = lower.max(by: { $0.version < $1.version }) else { return nil }
                reference = ModelReference(
                    name: subject.record.name,
                    selector: .version(entry.version)
                )
            } catch let error as ZooError where error.code.category == .notFound {
                return nil
            }
        }
        let release = try await registry.resolve(reference)
        return Validator.Previous(
            record: try release.record.requireModel(),
            digest: release.digest
        )
    }
}

struct ValidateOutcome: Report {
    private let report: ValidationReport?
    private let record: ReleaseRecord?
    /// The evidence that the release had before.
    private let before: AttachedEvidence
    private let beforeSigning: EvidenceSigning
    /// The key that signed the statement; nil if it is not signed.
    private let signer: VerificationKey?
    private let folder: String
    private let part: String

    init(part: String) {
        report = nil
        record = nil
        before = .absent
        beforeSigning = .none
        signer = nil
        folder = ""
        self.part = part
    }

    init(
        report: ValidationReport,
        record: ReleaseRecord,
        before: AttachedEvidence,
        beforeSigning: EvidenceSigning,
        signer: VerificationKey?,
        folder: String
    ) {
        self.report = report
        self.record = record
        self.before = before
        self.beforeSigning = beforeSigning
        self.signer = signer
        self.folder = folder
        part = ""
    }

    /// Status 1 when a check failed.
    var exitStatus: Int32 { report?.passed ?? true ? 0 : 1 }

    var json: JSONValue {
        guard let report, let record, case .object(var members) = report.json else {
            return ["part": .string(part)]
        }
        members["path"] = .string(folder)
        members["reproduced"] = .integer(report.reproduced)
        members["evidence"] = before.json(record, beforeSigning)
        members["key"] = signer.map { .string($0.hint) } ?? .null
        return .object(members)
    }

    var text: String {
        guard let report, let record else { return part }
        var lines = ["\(report.name):\(report.version) \(report.digest.short)", ""]
        lines.append(
            Table.text(
                ["CHECK", "RESULT", "WHAT"],
                report.checks.map { [$0.name.rawValue, $0.result.rawValue, $0.summary] }
            )
        )
        if !report.claims.isEmpty {
            lines += [
                "",
                Table.text(
                    ["CLAIM", "CLAIMED", "MEASURED", "TOLERANCE", "UNIT", "OUTCOME"],
                    report.claims.map { claim in
                        [
                            claim.claim.metric, Float(claim.claim.value).fixed4,
                            claim.measured.map { Float($0).fixed4 } ?? "–",
                            claim.claim.tolerance.map { Float($0).fixed4 } ?? "–",
                            claim.claim.unit, claim.outcome.words,
                        ]
                    }
                ),
            ]
        }
        let findings = report.checks.flatMap(\.findings)
        if !findings.isEmpty { lines += ["", FindingList.text(findings)] }
        lines += [
            "",
            "\(ClaimCounts(report.claims).text): " + (report.passed ? "passed" : "FAILED"),
            "measured\(report.machine.machineText)",
        ]
        if !before.isAbsent {
            lines.append("evidence before: \(before.line(record, beforeSigning))")
        }
        if let signer { lines.append("signed with the key \(signer.hint.prefix(12))") }
        lines.append("report in \(folder)")
        return lines.joined(separator: "\n")
    }
}
