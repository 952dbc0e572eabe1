// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooConvert
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// `ami-zoo verify`.
struct VerifyCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of a model against its manifest or record, offline.",
        discussion: """
            With --against, also proves that the model holds the tensors of the upstream file it was \
            converted from: each is mapped again and compared bit for bit.
            """
    )

    @Argument(help: "An installed model, a folder that ami-zoo pulled, or one that it converted.")
    var model: String

    @Flag(help: "Also hash each file whole against the release record.")
    var deep = false

    @Option(help: "The upstream checkpoint that the model was converted from.")
    var against: String?

    @Option(help: "With --against: the checkpoint of the encoder that a probe was trained on.")
    var backbone: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard backbone == nil || against != nil else {
            throw ValidationError("--backbone says more about --against, which is not given")
        }
    }

    func report() async throws -> VerifyOutcome {
        let location = try ModelLocation(model, in: Surroundings().store)
        let (deep, folder, clock) = (deep, location.folder, ContinuousClock())
        let start = clock.now
        let subject = try Subject(location)
        var findings = try await Interruption.cancelling {
            switch subject {
            case .release(let release):
                try await ReleaseVerifier(release, workers: Processors.count).findings(deep: deep)
            case .converted(let record):
                try await FolderVerifier(folder: folder, record: record).findings()
            }
        }
        var comparison: UpstreamComparison.Outcome?
        if let against {
            let (backbone, record) = (backbone, subject.record)
            let found = try await BlockingWork.run { _ in
                try UpstreamComparison(
                    folder: folder,
                    record: record,
                    source: ConversionSource(against, backbone: backbone)
                ).compare()
            }
            findings += found.findings
            comparison = found
        }
        return VerifyOutcome(
            subject: subject,
            folder: folder,
            findings: findings,
            comparison: comparison,
            time: clock.now - start
        )
    }

    /// What is checked.
    enum Subject: Sendable {
        /// A release, with its manifest.
        case release(InstalledRelease)
        /// A folder that a conversion made, with its record.
        case converted(ReleaseRecord)

        init(_ location: ModelLocation) throws(ZooError) {
            if let release = location.release {
                self = .release(release)
                return
            }
            let path = "\(location.folder)/\(RecordDraft.fileName)"
            if try FileSystem.status(path) != nil {
                let bytes = try FileSystem.document(path, limit: FormatLimits.record)
                self = .converted(try ReleaseRecord(canonical: bytes))
            } else {
                // Opened again here, because now the reason why it is not a release is the news.
                self = .release(try InstalledRelease(folder: location.folder))
            }
        }

        var record: ReleaseRecord {
            switch self {
            case .release(let release): release.record
            case .converted(let record): record
            }
        }

        /// The digest that names what is checked: of the manifest, or of the record.
        var digest: ContentDigest {
            switch self {
            case .release(let release): release.digest
            case .converted(let record): record.digest
            }
        }
    }
}

struct VerifyOutcome: Report {
    let subject: VerifyCommand.Subject
    let folder: String
    let findings: [Finding]
    let comparison: UpstreamComparison.Outcome?
    let time: Duration

    var exitStatus: Int32 { isSound ? 0 : 1 }
    private var isSound: Bool { !findings.contains { $0.severity == .error } }

    private var files: [ReleaseRecord.File] {
        switch subject {
        case .release(let release): release.files
        case .converted(let record): record.files
        }
    }

    private var reference: String { "\(subject.record.name):\(subject.record.version)" }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "status": .string(isSound ? "passed" : "failed"), "reference": .string(reference),
            "digest": .string(subject.digest.description), "path": .string(folder),
            "findings": .array(findings.map(\.json)),
        ]
        if let comparison {
            members["compared"] = [
                "tensors": .integer(comparison.tensors), "bytes": .integer(comparison.bytes),
            ]
        }
        return .object(members)
    }

    var text: String {
        guard isSound else {
            return FindingList.text(findings) + "\n\(reference) \(subject.digest.short): FAILED"
        }
        let bytes = files.reduce(0) { $0 + $1.size }
        let origin =
            switch subject {
            case .release: "as released"
            case .converted: "as converted"
            }
        var text =
            "\(reference) \(subject.digest.short): \(files.count) files, "
            + "\(ByteCount(bytes)), every byte is \(origin) (\(time.shortText))"
        if let comparison {
            text +=
                "\n\(comparison.tensors) tensors, \(ByteCount(comparison.bytes)): every bit is that "
                + "of the upstream file"
        }
        return text
    }
}
