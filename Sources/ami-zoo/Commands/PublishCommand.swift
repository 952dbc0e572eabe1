// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// `ami-zoo publish`.
struct PublishCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publish packed releases to a registry.",
        discussion: """
            The folder is what 'ami-zoo pack' wrote. Every release in it is checked as a whole; then \
            only the blobs that the registry does not have are sent, and to 'ami-zoo serve' only the \
            blocks of an archive that no version of the release there has. Run the same command again \
            after an interruption: what arrived is not sent again. A model must have passed \
            'ami-zoo validate' with exactly these bytes; the evidence is attached to it. With --sign, a \
            signature over all files is attached too, which 'ami-zoo pull' puts beside them as model.sig; \
            without, the one that lay in the folder when it was packed, if it covers exactly the files of \
            the release.
            """
    )

    @Argument(help: "The folder that 'ami-zoo pack' wrote.")
    var folder: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions

    @OptionGroup var evidence: EvidenceOptions
    @OptionGroup(title: "Signature options") var signature: PublicationSignatureOptions

    @Flag(help: "Check the releases and list what would be sent; send nothing.")
    var dryRun = false

    @OptionGroup var output: OutputOptions

    func report() async throws -> PublishOutcome {
        let view = PullProgressView(output)
        defer { view.close() }
        let source = RegistryDocuments(root: FileSystem.absolute(folder))
        let surroundings = Surroundings()
        let target = try await surroundings.target(registry, network, signing) { view.note($0) }
        let publisher = Publisher(
            from: source,
            to: target,
            streams: network.connections ?? 4,
            progress: { view.show($0) }
        )
        let gate = try PublicationGate(
            evidence,
            source: try surroundings.registry(folder: source.root, network),
            signature: try signature.source(for: source.root),
            isDryRun: dryRun
        )
        let (clock, start) = (ContinuousClock(), ContinuousClock.now)
        let reports = try await Interruption.cancelling { [dryRun] in
            let releases = try await BlockingWork.run { _ in try Self.releases(in: source) }
            // Before anything is sent.
            var permits: [[AttachmentDraft]] = []
            for digest in releases { permits.append(try await gate.permit(digest, in: source)) }
            var reports: [Publisher.Report] = []
            for (digest, drafts) in zip(releases, permits) {
                reports.append(
                    try await publisher.publish(digest, attaching: drafts, isDryRun: dryRun)
                )
            }
            return reports
        }
        view.close()
        return PublishOutcome(
            registry: target.address,
            reports: reports,
            isDryRun: dryRun,
            time: clock.now - start
        )
    }

    /// The manifests in a folder, which must be at least one.
    private static func releases(in source: RegistryDocuments) throws -> [ContentDigest] {
        if let listed = try source.imageIndex() {
            // Some tools list a release without its type, or under its version alone.
            let releases =
                listed.entries.isEmpty ? try source.unnamedReleases() : listed.entries.map(\.digest)
            if !releases.isEmpty { return releases }
        }
        throw ZooError(
            .notARegistry,
            "'\(source.root)' holds no releases",
            remedy: "pack a model or data set first: 'ami-zoo pack FOLDER --output \(source.root)'"
        )
    }
}

struct PublishOutcome: Report {
    let registry: String
    let reports: [Publisher.Report]
    let isDryRun: Bool
    let time: Duration

    var json: JSONValue {
        [
            "registry": .string(registry),
            "dryRun": .bool(isDryRun),
            "releases": .array(reports.map(\.json)),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String {
        reports.map { report in
            let identity = "\(report.reference) \(report.digest.short)"
            let sent = "\(ByteCount(report.bytesUploaded)) of \(ByteCount(report.bytesTotal))"
            if isDryRun {
                return "\(identity): \(Counted.text(report.uploaded.count, "blob")), \(sent), "
                    + "would be sent to \(registry)\(report.attached.attachedText)"
            }
            if report.alreadyThere {
                return "\(identity) is in \(registry) already\(report.attached.attachedText)"
            }
            return "\(identity) published in \(registry): \(sent) sent in \(time.shortText)"
                + report.attached.attachedText
        }.joined(separator: "\n")
    }
}

extension Publisher.Report {
    /// The fields of `publish` and `registry mirror`.
    var json: JSONValue {
        [
            "reference": .string(reference.description),
            "kind": .string(kind.rawValue),
            "digest": .string(digest.description),
            "bytesTotal": .integer(bytesTotal),
            "bytesUploaded": .integer(bytesUploaded),
            "blobs": .array(uploaded.map { .string($0.digest.description) }),
            "alreadyThere": .bool(alreadyThere),
            "attachments": .integer(attached.count),
            "attached": .array(attached.map { .string($0) }),
        ]
    }
}

extension [String] {
    /// What was attached, or would be, by the types of the attachments, after a comma; empty for nothing.
    var attachedText: String {
        let names = map { type in
            switch type {
            case AttachmentDraft.validation: "evidence of its validation"
            case AttachmentDraft.waiver: "the reason why it was not validated"
            case AttachmentDraft.signature: "a signature"
            case AttachmentDraft.provenance: "its provenance"
            default: type
            }
        }
        return names.isEmpty ? "" : ", attached: \(names.joined(separator: "; "))"
    }
}
