// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore
internal import ZooValidate

/// What permits the publication of a model.
struct EvidenceOptions: ParsableArguments {
    @Option(
        help: """
            The folder that 'ami-zoo validate --report' wrote. Default: what the local store keeps of \
            the last validation of these bytes.
            """
    )
    var evidence: String?

    @Option(
        help: ArgumentHelp(
            "Publish a model without evidence, for this reason, which everybody sees.",
            valueName: "reason"
        )
    )
    var unvalidated: String?

    func validate() throws {
        guard evidence == nil || unvalidated == nil else {
            throw ValidationError("--evidence and --unvalidated exclude each other")
        }
    }
}

/// Lets a model be published only with evidence for exactly its bytes, or with a reason.
struct PublicationGate: Sendable {
    private let folder: String?
    private let waiver: ValidationWaiver?
    private let store: ModelStore
    private let source: Registry?

    /// Prepares the gate.
    ///
    /// - Parameters:
    ///   - options: the evidence on the command line.
    ///   - source: the registry that is published from, whose own evidence counts too.
    /// - Throws: ``ZooError`` when the reason is not valid.
    init(_ options: EvidenceOptions, source: Registry? = nil) throws(ZooError) {
        folder = options.evidence.map(FileSystem.absolute)
        waiver =
            if let reason = options.unvalidated {
                try ValidationWaiver(reason: reason, date: .now)
            } else { nil }
        store = try Surroundings().store
        self.source = source
    }

    /// Permits a release of a folder.
    func permit(
        _ digest: ContentDigest,
        in documents: RegistryDocuments
    ) async throws -> AttachmentDraft? {
        let (record, descriptor) = try await BlockingWork.run { _ in
            let bytes = try documents.blobs.read(digest, limit: FormatLimits.manifest)
            let manifest = try ReleaseManifest(canonical: bytes)
            let record = try documents.blobs.read(
                manifest.record.digest,
                limit: FormatLimits.record
            )
            return (try manifest.kind.record(canonical: record), manifest.descriptor)
        }
        return try await permit(record, descriptor)
    }

    /// Permits a release.
    ///
    /// - Parameters:
    ///   - record: its record.
    ///   - manifest: the descriptor of its manifest.
    /// - Returns: what is attached to it; nil for a data set, and where the source has evidence.
    /// - Throws: ``ZooError`` with an `evidence.*` code.
    func permit(
        _ record: any ArchivedRecord,
        _ manifest: Descriptor
    ) async throws -> AttachmentDraft? {
        guard let model = record as? ReleaseRecord else { return nil }
        if let waiver {
            return AttachmentDraft(waiver, name: "\(model.name):\(model.version)", to: manifest)
        }
        do {
            let evidence = try await BlockingWork.run { [folder, store] _ in
                let found =
                    folder.map { EvidenceFolder($0) }
                    ?? EvidenceFolder(of: manifest.digest, in: store)
                return try found.evidence(of: model, manifest.digest)
            }
            return AttachmentDraft(evidence, to: manifest)
        } catch let error as ZooError where error.code == .evidenceMissing && folder == nil {
            // Published before: what is attached in the source travels with it.
            let attached = try? await source?.evidence(of: model, manifest.digest)
            // What cannot be read may be newer than what passed.
            if let fault = attached?.unreadable.first { throw fault }
            switch attached?.decision {
            case .validated, .unvalidated: return nil
            case .failed(_, let fault), .invalid(let fault): throw fault
            case .absent, nil: throw error
            }
        }
    }
}

extension Timestamp {
    /// The present time.
    static var now: Timestamp { Timestamp(secondsSince1970: Clock.seconds()) }
}
