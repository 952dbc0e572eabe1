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
import ZooTransport

/// A registry folder with a small release in it, made by the code that maintainers use.
struct SampleRegistry {
    let root: String
    let folder: TemporaryFolder

    /// Bytes of the weights: five tensors of 1.5 MiB, so that blocks have several tensors' worth of
    /// neighbours and tensors their own blocks.
    static let tensorSize = 3 << 19
    static let tensors = 5

    init(in folder: TemporaryFolder, existing: Bool = false) throws {
        self.folder = folder
        root = folder.path(of: "registry")
        if existing { return }
        try RegistryFolder.create(root, RegistryDescription(name: "sample"))
    }

    /// Numbers without pattern, the same on every run.
    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &+ 0x9E37_79B9_7F4A_7C15
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: state >> shift))
            }
        }
        return Array(bytes.prefix(count))
    }

    /// Packs a version whose tensors come from the given seeds, and lists it.
    @discardableResult
    func publish(
        _ version: String,
        seeds: [UInt64] = [1, 2, 3, 4, 5],
        encoding: ArchiveEncoding = .stored,
        to target: (any RegistryTarget)? = nil
    ) async throws -> PackReport {
        let model = "model-\(version)"
        let header = Self.header(tensors: seeds.count)
        var weights = header
        for seed in seeds { weights += Self.noise(Self.tensorSize, seed: seed) }
        try folder.write(weights, to: "\(model)/model.safetensors")
        try folder.write(Array(#"{"model_type":"sample"}"#.utf8), to: "\(model)/config.json")
        try folder.write(Array("# Sample\n".utf8), to: "\(model)/README.md")
        let starts = seeds.indices.map { header.count + $0 * Self.tensorSize }
        let request = PackRequest(
            source: folder.path(of: model),
            description: try ModelDescription.parse(
                Array(Self.description(version).utf8),
                path: "model.yaml"
            ),
            tensorStarts: [try ReleasePath(parsing: "model.safetensors"): starts],
            components: [
                "all": RecordDraft.ComponentFacts(
                    tensors: seeds.count,
                    parameters: 1,
                    dtypes: ["U8"],
                    fingerprint: ContentDigest(of: weights)
                )
            ],
            encoding: encoding
        )
        let own = try await FolderTarget(root: root)
        let report = try await Packer(request).pack(to: target ?? own)
        _ = try RegistryFolder(opening: root).rebuild(Cancellation())
        return report
    }

    private static func header(tensors: Int) -> [UInt8] {
        let entries = (0..<tensors).map { index in
            """
            "t\(index)":{"dtype":"U8","shape":[\(tensorSize)],\
            "data_offsets":[\(index * tensorSize),\((index + 1) * tensorSize)]}
            """
        }
        var text = Array("{\(entries.joined(separator: ","))}".utf8)
        while text.count % 8 != 0 { text.append(0x20) }
        return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    }

    private static func description(_ version: String) -> String {
        """
        name: ami/sample
        version: "\(version)"
        summary: Numbers without meaning.
        authors: [somebody]
        licence: Apache-2.0
        created: 2026-01-31T12:00:00Z
        architecture: {family: sample, variant: tiny}
        inputs: {modality: image, frames: 1, height: 1, width: 1, channels: rgb, layout: BCHW,
                 preprocessing: {orientation: upright, resize: {rule: none}, resampling: none,
                                 crop: {rule: none}, rescale: 0.00392156862745098,
                                 mean: [0, 0, 0], std: [1, 1, 1]}}
        components: [{name: all, files: [model.safetensors]}]
        lineage: {kind: trained}
        """
    }

    /// The path of the archive that carries the weights of the newest version.
    func weights(of report: PackReport) throws -> (path: String, table: BlockTable) {
        let blobs = BlobFolder(root: root)
        let manifest = try ReleaseManifest(
            canonical: try blobs.read(report.digest, limit: FormatLimits.manifest)
        )
        let entry = try #require(manifest.archives.first { $0.name == "weights" })
        let table = try BlockTable(
            canonical: try blobs.read(entry.blocks.digest, limit: FormatLimits.blockTable)
        )
        return (RegistryLayout.blob(entry.archive.digest), table)
    }

    /// Makes the only release another one, as an attacker with write access would.
    ///
    /// The weights change, and every digest above them is right again.
    func replaceWeights(of report: PackReport, _ change: (inout [UInt8]) -> Void) throws {
        let blobs = BlobFolder(root: root)
        let manifest = try ReleaseManifest(
            canonical: try blobs.read(report.digest, limit: FormatLimits.manifest)
        )
        let changed = try #require(manifest.archives.first { $0.name == "weights" })
        let old = try weights(of: report)
        var archive = try folder.read("registry/\(old.path)")
        change(&archive)
        let table = BlockTable(
            encoding: .stored,
            archiveDigest: try blobs.write(archive),
            blocks: old.table.blocks.map { block in
                let digest = ContentDigest(of: Array(archive[block.archiveRange]))
                return BlockTable.Block(
                    archiveRange: block.archiveRange,
                    archiveDigest: digest,
                    rawRange: block.rawRange,
                    rawDigest: digest
                )
            }
        )
        let other = ReleaseManifest(
            record: manifest.record,
            archives: try manifest.archives.map { archive in
                guard archive.name == changed.name else { return archive }
                return ReleaseManifest.Archive(
                    name: archive.name,
                    archive: Descriptor(
                        mediaType: archive.archive.mediaType,
                        digest: table.archiveDigest,
                        size: archive.archive.size,
                        annotations: archive.archive.annotations
                    ),
                    blocks: Descriptor(
                        mediaType: archive.blocks.mediaType,
                        digest: try blobs.write(table.canonicalBytes),
                        size: table.canonicalBytes.count,
                        annotations: archive.blocks.annotations
                    )
                )
            }
        )
        // Publishing would refuse the release, so the index document is written by hand.
        let index = try #require(
            try RegistryDocuments(root: root).index(of: ModelName(parsing: "ami/sample"))
        )
        let entry = try #require(index.entries.first { $0.digest == report.digest })
        let document = try IndexDocument(
            name: index.name,
            entries: [
                IndexDocument.Entry(
                    version: entry.version,
                    digest: try blobs.write(other.canonicalBytes),
                    size: entry.size,
                    created: entry.created,
                    licence: entry.licence
                )
            ],
            channels: index.channels
        )
        try folder.write(
            document.canonicalBytes,
            to: "registry/\(RegistryLayout.index(index.name))"
        )
    }

    /// A puller from a location into a store of this folder.
    func puller(
        from location: RegistryLocation,
        store: String = "store",
        policy: TransferPolicy = .impatient,
        report: @escaping @Sendable (PullEvent) -> Void = { _ in }
    ) -> Puller {
        let store = ModelStore(root: folder.path(of: store))
        var configuration = TransportConfiguration(version: "0.0.0")
        configuration.policy = policy
        configuration.proxies = .none
        configuration.jitter = { 0 }
        return Puller(
            registry: Registry(
                location,
                transport: HTTPTransport(configuration: configuration),
                cache: store
            ),
            store: store,
            report: report
        )
    }
}

extension HTTPTransport {
    /// For registries that are folders.
    static var unused: HTTPTransport {
        HTTPTransport(configuration: TransportConfiguration(version: "0.0.0"))
    }

    /// For servers on this machine; gives up quickly.
    static var impatient: HTTPTransport {
        var configuration = TransportConfiguration(version: "0.0.0")
        configuration.policy = .impatient
        configuration.proxies = .none
        configuration.jitter = { 0 }
        return HTTPTransport(configuration: configuration)
    }
}

extension TransferPolicy {
    /// Gives up quickly, so that tests of failures are quick.
    static var impatient: TransferPolicy {
        var policy = TransferPolicy()
        policy.attempts = 3
        policy.connectTimeout = .seconds(2)
        policy.stallWindow = .seconds(1)
        policy.backoffBase = .milliseconds(1)
        return policy
    }
}

extension PullRequest {
    /// Creates a request from a reference.
    static func of(_ text: String) throws -> PullRequest {
        PullRequest(try ModelReference(parsing: text))
    }
}

extension InstalledRelease {
    /// The findings of verifying the release against its own manifest.
    func findings(deep: Bool = false) async throws -> [Finding] {
        try await verification(deep: deep).findings
    }

    func verification(
        _ anchors: [VerificationAnchor] = [],
        deep: Bool = false
    ) async throws -> Verification {
        let own = VerificationAnchor(.folder, digest, source: manifestPath)
        return try await ReleaseVerifier(self, anchors: anchors + [own], workers: 2)
            .verify(deep: deep)
    }
}
