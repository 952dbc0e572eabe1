// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooTrust
internal import ZooValidate

/// `ami-zoo pack`.
struct PackCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Pack a model or a data set as a release into a folder.",
        discussion: """
            The model folder is one that Python loads: config.json, model.safetensors, README.md. \
            The description adds what these files do not state: name, version, authors, licence, \
            lineage, evaluation. A description with 'kind: dataset' makes a data set of the folder, \
            and states its splits and labels. In a registry folder the release is published at \
            once; elsewhere the result is an OCI image layout.
            """
    )

    @Argument(help: "The folder of the model or data set.")
    var folder: String

    @Option(
        name: .customLong("output"),
        help: "A registry folder, or the OCI image layout to create or to add to."
    )
    var destination: String

    @Option(
        help: "The description. Default: model.yaml, release.json or dataset.yaml in the folder."
    )
    var description: String?

    @Option(
        help: "The compression of the archives: 'zstd' or 'none'.",
        transform: PackCommand.encoding
    )
    var compression = ArchiveEncoding.zstd

    @OptionGroup(title: "Options for a registry folder") var evidence: EvidenceOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> PackOutcome {
        let root = FileSystem.absolute(destination)
        return try await Interruption.cancelling {
            let request = try await BlockingWork.run { cancellation in
                try PackRequest(
                    folder: folder,
                    description: description,
                    compression: compression,
                    cancellation
                )
            }
            let target = try await FolderTarget(root: root)
            // In an image layout nothing is published yet.
            let gate =
                target.isRegistry
                ? try PublicationGate(
                    evidence,
                    source: try Surroundings().registry(folder: root)
                ) : nil
            let report = try await Packer(request).pack(to: target) { packed in
                try await BlockingWork.run { _ in
                    try Self.keepSignature(in: folder, of: packed)
                    try Self.keepProvenance(in: folder, of: packed)
                }
                return try await gate?.permit(packed.record, packed.descriptor) ?? []
            }
            return PackOutcome(report: report, output: root, published: target.isRegistry)
        }
    }

    /// Keeps the signature in the folder for the publication, if it covers exactly the files of the release.
    ///
    /// It is no part of the release: what is signed cannot hold its signature.
    private static func keepSignature(in folder: String, of packed: PackedRelease) throws {
        let path = "\(folder)/\(ModelFolder.signatureName)"
        guard try FileSystem.status(path) != nil else { return }
        let bytes = try FileSystem.document(path, limit: SignatureBundle.limit)
        let difference: String?
        do throws(ZooError) {
            difference = try SignatureBundle(parsing: bytes).difference(from: packed.record)
        } catch {
            difference = error.message
        }
        if let difference {
            return Console.note(
                "'\(path)' is left out: \(difference); 'ami-zoo publish --sign KEY' signs the release"
            )
        }
        let digest = packed.descriptor.digest
        try EvidenceFolder(of: digest, in: try Surroundings().store).keep(signature: bytes)
    }

    /// Keeps the provenance in the folder for the publication, if it is about the weights of the release.
    private static func keepProvenance(in folder: String, of packed: PackedRelease) throws {
        let path = "\(folder)/\(ConversionProvenance.fileName)"
        guard let record = packed.record as? ReleaseRecord,
            try FileSystem.status(path) != nil
        else { return }
        let bytes = try FileSystem.document(path, limit: EvidenceStatement.limit)
        let provenance: ConversionProvenance
        do throws(ZooError) {
            provenance = try ConversionProvenance(statement: bytes)
            _ = try provenance.files(of: record)
        } catch {
            return Console.note("'\(path)' is left out: \(error.message)")
        }
        let digest = packed.descriptor.digest
        try EvidenceFolder(of: digest, in: try Surroundings().store).keep(provenance: provenance)
    }

    private static func encoding(_ text: String) throws -> ArchiveEncoding {
        guard let encoding = ArchiveEncoding(rawValue: text) else {
            throw ValidationError("'\(text)' is neither 'zstd' nor 'none'")
        }
        return encoding
    }
}

struct PackOutcome: Report {
    let report: PackReport
    let output: String
    let published: Bool

    var json: JSONValue {
        [
            "reference": .string(report.reference.description),
            "kind": .string(report.kind.rawValue),
            "digest": .string(report.digest.description),
            "bytesTotal": .integer(report.bytesTotal),
            "bytesStored": .integer(report.bytesStored),
            "alreadyThere": .bool(report.alreadyThere),
            "path": .string(output),
            "published": .bool(published),
            "attached": .array(report.attached.map { .string($0) }),
        ]
    }

    var text: String {
        let state = report.alreadyThere ? "was already packed" : "packed"
        return "\(report.reference) \(report.digest.short) \(state): "
            + "\(ByteCount(report.bytesTotal)) in \(ByteCount(report.bytesStored)) of archives\n"
            + (published
                ? "published in the registry \(output)\(report.attached.attachedText)"
                : "'\(output)' is an OCI image layout; 'ami-zoo registry init \(output)' and "
                    + "'ami-zoo registry index \(output)' make it a registry")
    }
}
