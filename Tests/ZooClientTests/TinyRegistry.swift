// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

/// A registry with a release of a few kilobytes in blocks of a few hundred bytes: three components in
/// two archives, blocks that span several files, an empty file, files that end at block borders.
///
/// Small, so that every byte of it can be damaged in every way.
struct TinyRegistry {
    let root: String
    let folder: TemporaryFolder
    /// The keys with which versions are published; nil for a registry that is not signed.
    var signer: RegistrySigner?

    static let components = ["encoder", "predictor", "probe"]
    static let files: [(path: String, size: Int)] = [
        ("README.md", 301), ("config.json", 0), ("empty.txt", 0),
        ("encoder.safetensors", 2048), ("nested/deeper/Knots.txt", 7),
        ("predictor.safetensors", 1733), ("read_outs/probe.safetensors", 1024),
    ]

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        root = folder.path(of: "registry")
        try RegistryFolder.create(root, RegistryDescription(name: "tiny"))
    }

    /// The bytes of a file of a version; versions share the predictor and nothing else.
    static func content(_ path: String, _ size: Int, of version: String) -> [UInt8] {
        if path == "config.json" { return Array("{\"model_type\":\"tiny\"}".utf8) }
        let seed = path == "predictor.safetensors" ? path : path + version
        let digest = ContentDigest(of: seed.utf8)
        let number = digest.hex.prefix(15).reduce(UInt64(0)) {
            $0 << 4 | UInt64($1.hexDigitValue ?? 0)
        }
        var bytes = SampleRegistry.noise(size, seed: number)
        // A stretch of zeros, as sparse weights and padding have them.
        for index in size / 2..<size / 2 + size / 8 { bytes[index] = 0 }
        return bytes
    }

    /// Packs and lists a version; blocks have `length` bytes of the raw stream.
    @discardableResult
    func publish(
        _ version: String,
        block length: Int = 700,
        encoding: ArchiveEncoding = .stored
    ) throws -> ContentDigest {
        let source = "model-\(version)"
        var files: [RecordDraft.File] = []
        for (path, size) in Self.files {
            let bytes = Self.content(path, size, of: version)
            try folder.write(bytes, to: "\(source)/\(path)")
            files.append(
                RecordDraft.File(
                    path: try ReleasePath(parsing: path),
                    size: bytes.count,
                    digest: ContentDigest(of: bytes),
                    holdsTensors: path.hasSuffix(".safetensors")
                )
            )
        }
        let facts = RecordDraft.ComponentFacts(
            tensors: 1,
            parameters: 1,
            dtypes: ["U8"],
            fingerprint: ContentDigest(of: [])
        )
        let draft = RecordDraft(
            description: try ModelDescription.parse(
                Array(Self.text(version).utf8),
                path: "model.yaml"
            ),
            configuration: .object([:]),
            files: files,
            components: Dictionary(uniqueKeysWithValues: Self.components.map { ($0, facts) })
        )
        let record = try ReleaseRecord(canonical: try draft.document().canonicalBytes)
        let blobs = BlobFolder(root: root)
        let archives = try Set(record.files.map(\.archive)).sorted().map { name in
            try archive(name, of: record, from: folder.path(of: source), length, encoding, blobs)
        }
        let manifest = ReleaseManifest(
            record: Descriptor(
                mediaType: ReleaseManifest.MediaType.record,
                digest: try blobs.write(record.canonicalBytes),
                size: record.canonicalBytes.count
            ),
            archives: archives
        )
        let digest = try blobs.write(manifest.canonicalBytes)
        var registry = try RegistryFolder(opening: root)
        registry.signer = signer
        let release = try registry.check(manifest: manifest.canonicalBytes, as: nil, Cancellation())
        _ = try registry.publish(release, Cancellation())
        return digest
    }

    private func archive(
        _ name: String,
        of record: ReleaseRecord,
        from source: String,
        _ length: Int,
        _ encoding: ArchiveEncoding,
        _ blobs: BlobFolder
    ) throws -> ReleaseManifest.Archive {
        let layout = record.layout(of: name)
        let ranges = stride(from: 0, to: layout.rawSize, by: length).map {
            $0..<min($0 + length, layout.rawSize)
        }
        let draft = try blobs.draft()
        let table = try ArchiveWriter(
            layout: layout,
            plan: BlockPlan(ranges: ranges),
            encoding: encoding
        ).write(
            from: source,
            digests: Dictionary(uniqueKeysWithValues: record.files.map { ($0.path, $0.digest) }),
            to: draft.file,
            Cancellation()
        ).table
        try blobs.commit(draft, as: table.archiveDigest)
        let annotations = [ReleaseManifest.MediaType.archiveName: name]
        return ReleaseManifest.Archive(
            name: name,
            archive: Descriptor(
                mediaType: ReleaseManifest.MediaType.archive(encoding),
                digest: table.archiveDigest,
                size: table.archiveSize,
                annotations: annotations
            ),
            blocks: Descriptor(
                mediaType: ReleaseManifest.MediaType.blocks,
                digest: try blobs.write(table.canonicalBytes),
                size: table.canonicalBytes.count,
                annotations: annotations
            )
        )
    }

    private static func text(_ version: String) -> String {
        """
        name: ami/tiny
        version: "\(version)"
        summary: Numbers without meaning.
        authors: [somebody]
        licence: Apache-2.0
        created: 2026-01-31T12:00:00Z
        architecture: {family: tiny, variant: tiny}
        inputs: {modality: image, frames: 1, height: 1, width: 1, channels: rgb, layout: BCHW,
                 preprocessing: {orientation: upright, resize: {rule: none}, resampling: none,
                                 crop: {rule: none}, rescale: 0.00392156862745098,
                                 mean: [0, 0, 0], std: [1, 1, 1]}}
        components:
          - {name: encoder, files: [encoder.safetensors]}
          - {name: predictor, files: [predictor.safetensors]}
          - {name: probe, files: [read_outs/probe.safetensors, nested/deeper/Knots.txt]}
        lineage: {kind: trained}
        """
    }
}
