// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import Foundation
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooStore
internal import ZooTrust

/// `ami-zoo show`.
struct ShowCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the record of a model or data set without downloading its files.",
        discussion: """
            Reads the registry. With --offline, or for a folder that ami-zoo pulled, reads what is installed, with the \
            evidence that was pulled; whether the version was withdrawn since is then unknown.
            """
    )

    @Argument(
        help: """
            The model or data set, such as ami/ball-drop or ami/ball-drop:1.0.0, or a folder that ami-zoo \
            pulled: a path that begins with '/' or '.'.
            """
    )
    var reference: String

    @Flag(help: "Do not use the network; show what is installed.")
    var offline = false

    @Option(
        help: ArgumentHelp(
            "Print a bill of materials of the model instead: 'cyclonedx' (1.6) or 'spdx' (3.0.1, AI profile).",
            valueName: "format"
        ),
        transform: ShowCommand.format
    )
    var bom: BillOfMaterials.Format?

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    private var isFolder: Bool { reference.hasPrefix("/") || reference.hasPrefix(".") }

    func validate() throws {
        guard registry.registry == nil || !offline && !isFolder else {
            throw ValidationError("--registry is not for what is installed")
        }
        guard bom == nil || !output.json else {
            throw ValidationError("--bom prints JSON of its own; leave out --json")
        }
    }

    private static func format(_ text: String) throws -> BillOfMaterials.Format {
        guard let format = BillOfMaterials.Format(rawValue: text) else {
            throw ValidationError("'\(text)' is neither 'cyclonedx' nor 'spdx'")
        }
        return format
    }

    func report() async throws -> ShowOutcome {
        var outcome = try await shown()
        if let bom { outcome.materials = try outcome.billOfMaterials().document(as: bom) }
        return outcome
    }

    private func shown() async throws -> ShowOutcome {
        if offline || isFolder {
            let store = try Surroundings().store
            let (release, kept) = try await BlockingWork.run { [reference] _ in
                let folder = try ModelArgument(reference, in: store).folders[0]
                let release = try InstalledRelease(folder: folder)
                return (release, KeptAttachments(in: folder, of: release.digest, repair: ""))
            }
            let evidence = try await BlockingWork.run { _ in release.keptEvidence() }
            return ShowOutcome(
                digest: release.digest,
                record: release.record,
                evidence: evidence,
                evidenceSigning: await evidence.signing(nil),
                signatures: kept.attachments.compactMap(\.signerClaim),
                provenance: ReleaseProvenance(kept.attachments, of: release.record),
                registry: release.registry,
                transfer: release.manifest.transferSize,
                yank: nil,
                folder: release.folder
            )
        }
        let reference = try ModelReference(parsing: reference)
        let source = try Surroundings().registry(registry, network, host: reference.host)
        let release = try await source.resolve(reference)
        var evidence = AttachedEvidence.absent
        if let model = release.record as? ReleaseRecord {
            evidence = try await source.evidence(of: model, release.digest)
        }
        let attached = try await source.attachments(
            [AttachmentDraft.signature, AttachmentDraft.provenance],
            of: release.digest,
            release.record.name
        )
        return ShowOutcome(
            digest: release.digest,
            record: release.record,
            evidence: evidence,
            evidenceSigning: await evidence.signing(nil),
            signatures: attached.compactMap(\.signerClaim),
            provenance: ReleaseProvenance(attached, of: release.record),
            registry: source.source.address,
            transfer: release.manifest.transferSize,
            yank: release.yank,
            folder: nil
        )
    }
}

struct ShowOutcome: Report {
    let digest: ContentDigest
    let record: any ArchivedRecord
    let evidence: AttachedEvidence
    let evidenceSigning: EvidenceSigning
    /// Who signed the files, as the attached signatures claim.
    let signatures: [SignerClaim]
    let provenance: ReleaseProvenance?
    /// The address of the registry.
    let registry: String
    let transfer: Int
    let yank: IndexDocument.Yank?
    /// The installed folder that was read; nil for a registry.
    let folder: String?
    /// The bill of materials that is printed instead; nil for none.
    var materials: JSONValue?

    /// What the model is made of.
    ///
    /// - Throws: ``ZooError`` with code `release.not-a-model`.
    func billOfMaterials() throws(ZooError) -> BillOfMaterials {
        BillOfMaterials(
            of: try record.requireModel(),
            digest,
            evidence: evidence,
            provenance: provenance?.statement,
            registry: registry,
            created: .sourceDate ?? .now,
            program: AmiZoo.version
        )
    }

    var json: JSONValue {
        // Cannot fail, because the record was parsed from these bytes.
        let document = (try? JSONValue(parsing: record.canonicalBytes)) ?? .null
        var members: [String: JSONValue] = [
            "reference": .string("\(record.name):\(record.version)"),
            "kind": .string(record.kind.rawValue),
            "digest": .string(digest.description),
            "transferBytes": .integer(transfer),
            "yanked": yank.map { .string($0.reason) } ?? .null,
            "record": document,
            "evidence": (record as? ReleaseRecord).map { evidence.json($0, evidenceSigning) }
                ?? ["state": "none"],
            "signatures": .array(signatures.map(\.json)),
            "provenance": provenance?.json ?? .null,
        ]
        if let folder { members["path"] = .string(folder) }
        return .object(members)
    }

    var text: String {
        if let materials {
            return materials.prettyText.trimmingCharacters(in: .newlines)
        }
        var lines = ["\(record.name):\(record.version)", "  \(record.summary)", ""]
        lines.append("  digest      \(digest)")
        let model = record as? ReleaseRecord
        let data = record as? DataSetRecord
        lines += model?.content ?? data?.content ?? []
        lines += [
            "  licence     \(record.licence)",
            "  authors     \(record.authors.joined(separator: ", "))",
            "  created     \(record.created)",
        ]
        if let lineage = model?.lineage.kind.rawValue ?? data?.origin {
            lines.append("  lineage     \(lineage)")
        }
        lines.append(
            "  size        \(ByteCount(record.totalSize)) in \(record.files.count) files, "
                + "\(ByteCount(transfer)) to transfer"
        )
        if let provenance { lines.append("  provenance  \(provenance.text)") }
        lines += signatures.map { "  signature   signed by \($0.text), not checked" }
        if let folder { lines.append("  installed   \(folder)") }
        if let yank { lines.append("  WITHDRAWN   \(yank.reason) (\(yank.date))") }
        lines += model.map { $0.parts + evidence.lines($0, evidenceSigning) } ?? data?.parts ?? []
        return lines.joined(separator: "\n")
    }
}

extension ReleaseAttachment {
    /// Who signed the files, as an attached signature claims; nil if it is something else.
    fileprivate var signerClaim: SignerClaim? {
        modelSignature.flatMap { try? SignatureBundle(parsing: $0).claim }
    }
}

extension ReleaseRecord {
    /// The lines about what the model is.
    fileprivate var content: [String] {
        ["  family      \(architecture.family), \(architecture.variant)", "  input       \(input)"]
    }

    /// The lines about the components.
    fileprivate var parts: [String] {
        var lines = ["", "  components"]
        lines += components.map { part in
            "    \(part.name): \(part.parameters) parameters in \(part.tensors) tensors "
                + "(\(part.dtypes.joined(separator: ", "))), fingerprint \(part.fingerprint.short)"
        }
        return lines
    }

    private var input: String {
        let input =
            switch inputs {
            case .pictures(let pictures):
                (pictures.isVideo ? "video, \(pictures.frames) frames of " : "image, ")
                    + "\(pictures.width)×\(pictures.height) \(pictures.channels)"
            case .series(let series):
                "series, \(series.length) steps of \(Counted.text(series.quantities.count, "number"))"
            case .vector(let quantities): "vector of \(Counted.text(quantities.count, "number"))"
            case .features(let model, _): "features of \(model)"
            }
        guard !actions.isEmpty else { return input }
        return input
            + "; actions \(actions.map { "\($0.name) [\($0.unit)]" }.joined(separator: ", "))"
    }
}

extension DataSetRecord {
    /// The lines about what the data set is.
    fileprivate var content: [String] {
        var lines = ["  kind        data set", "  modality    \(modality.rawValue)"]
        switch labels {
        case .folders(let classes):
            lines.append("  labels      \(classes) classes, the folders of the files")
        case .csv(let path, let classes):
            lines.append("  labels      \(classes) classes, in \(path)")
        case nil: break
        }
        return lines
    }

    /// How the data was obtained, and with which generator and seed.
    fileprivate var origin: String {
        let details = ["generator", "seed"].compactMap { name -> String? in
            switch lineage.details[name] {
            case .string(let text): "\(name) \(text)"
            case .integer(let number): "\(name) \(number)"
            default: nil
            }
        }
        return ([lineage.kind.rawValue] + details).joined(separator: ", ")
    }

    /// The lines about the splits.
    fileprivate var parts: [String] {
        ["", "  splits"]
            + splits.map { split in
                "    \(split.name): \(Counted.text(split.count, "sample")) in "
                    + Counted.text(split.files.count, "file")
            }
    }
}
