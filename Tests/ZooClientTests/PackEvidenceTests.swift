// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting

/// `pack` does not read again what it wrote, and `publish` what it checked and copied; nothing else may
/// profit from that.
struct PackEvidenceTests {
    /// A folder that something happens to between writing the blobs and publishing the manifest.
    private struct Interposed: RegistryTarget {
        /// What the packer hands over when it publishes.
        struct Handover {
            var manifest: [UInt8]
            let identity: RegistryFolder.Identity
            var written: [ArchiveEvidence]
        }

        let folder: FolderTarget
        let change: @Sendable (inout Handover) throws -> Void

        func indexEditor() async throws -> IndexEditor? { try await folder.indexEditor() }

        var address: String { folder.address }
        func draft() async throws -> BlobFolder.Draft { try await folder.draft() }
        func put(
            _ draft: BlobFolder.Draft,
            as digest: ContentDigest,
            of name: ModelName
        ) async throws {
            try await folder.put(draft, as: digest, of: name)
        }
        func holds(_ blob: Descriptor, of name: ModelName) async throws -> Bool {
            try await folder.holds(blob, of: name)
        }
        func put(
            _ file: OpenFile,
            as blob: Descriptor,
            blocks table: ContentDigest?,
            of name: ModelName,
            progress: @escaping @Sendable (Int) -> Void
        ) async throws -> Int {
            try await folder.put(file, as: blob, blocks: table, of: name, progress: progress)
        }
        func reusableBlocks(of name: ModelName) async throws -> Set<ContentDigest> { [] }
        func discard(_ draft: BlobFolder.Draft) async { await folder.discard(draft) }
        func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
            try await folder.put(bytes, of: name)
        }
        func put(
            _ blob: Descriptor,
            blocks table: ContentDigest?,
            of name: ModelName,
            progress: @escaping @Sendable (Int) -> Void,
            from content: BlobContent
        ) async throws -> Int {
            try await folder.put(
                blob,
                blocks: table,
                of: name,
                progress: progress,
                from: content
            )
        }
        func attachments(
            of digest: ContentDigest,
            _ name: ModelName
        ) async throws -> [IndexDocument.Attachment] {
            try await folder.attachments(of: digest, name)
        }
        func attach(
            _ manifest: [UInt8],
            _ attachment: IndexDocument.Attachment,
            to digest: ContentDigest,
            of name: ModelName
        ) async throws {
            try await folder.attach(manifest, attachment, to: digest, of: name)
        }
        func publish(
            _ manifest: [UInt8],
            as identity: RegistryFolder.Identity,
            written: [ArchiveEvidence]
        ) async throws -> Bool {
            var handover = Handover(manifest: manifest, identity: identity, written: written)
            try change(&handover)
            return try await folder.publish(
                handover.manifest,
                as: handover.identity,
                written: handover.written
            )
        }
    }

    /// Packs version 1.0.0 with a change before the manifest is published.
    private func pack(
        _ registry: SampleRegistry,
        seeds: [UInt64] = [1],
        _ change: @escaping @Sendable (inout Interposed.Handover) throws -> Void
    ) async throws {
        try await registry.publish(
            "1.0.0",
            seeds: seeds,
            to: Interposed(folder: try await FolderTarget(root: registry.root), change: change)
        )
    }

    private static func weights(_ manifest: [UInt8]) throws -> ReleaseManifest.Archive {
        let manifest = try ReleaseManifest(canonical: manifest)
        return try #require(manifest.archives.first { $0.name == "weights" })
    }

    /// Changes one byte in the middle of the archive of the weights; its length stays.
    private static func damageWeights(of manifest: [UInt8], in root: String) throws {
        let path = BlobFolder(root: root).path(of: try weights(manifest).archive.digest)
        var bytes = try FileSystem.document(path, limit: 1 << 30)
        bytes[bytes.count / 2] ^= 1
        try FileSystem.writeAtomically(path, bytes)
    }

    private static func replacing(
        _ old: String,
        by new: String,
        in document: [UInt8]
    ) throws -> [UInt8] {
        let parts = String(decoding: document, as: UTF8.self).split(
            separator: old,
            omittingEmptySubsequences: false
        )
        #expect(parts.count > 1, "the document does not contain \(old)")
        return Array(parts.joined(separator: new).utf8)
    }

    /// Stores a changed copy of a document, and returns a manifest that lists it in the place of the old.
    private static func replace(
        _ document: Descriptor,
        of manifest: [UInt8],
        in root: String,
        _ change: ([UInt8]) throws -> [UInt8]
    ) throws -> [UInt8] {
        let blobs = BlobFolder(root: root)
        let changed = try change(try blobs.read(document.digest, limit: document.size))
        #expect(changed.count == document.size)
        return try replacing(
            document.digest.description,
            by: try blobs.write(changed).description,
            in: manifest
        )
    }

    @Test func theBytesHandedToTheFileSystemAreNotReadAgain() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await pack(registry) {
                try Self.damageWeights(of: $0.manifest, in: registry.root)
            }
            // The check that reads sees the damage: the evidence was believed.
            let report = try await RegistryCheck(root: registry.root, workers: 1).run()
            #expect(report.findings.contains { $0.code == .blockMismatch })
        }
    }

    @Test func withoutEvidenceADamagedArchiveIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            await #expect(throws: ZooError(.blockMismatch, "")) {
                try await pack(registry) {
                    try Self.damageWeights(of: $0.manifest, in: registry.root)
                    $0.written = []
                }
            }
        }
    }

    @Test func evidenceOfAnotherArchiveDoesNotHelp() async throws {
        try await TemporaryFolder.with { folder in
            let evidence = Mutex<[ArchiveEvidence]>([])
            try await pack(try SampleRegistry(in: folder), seeds: [2]) { handover in
                evidence.withLock { $0 = handover.written }
            }
            let other = evidence.withLock { $0 }
            #expect(other.count > 1)
            try await TemporaryFolder.with { folder in
                let registry = try SampleRegistry(in: folder)
                await #expect(throws: ZooError(.blockMismatch, "")) {
                    try await pack(registry) {
                        try Self.damageWeights(of: $0.manifest, in: registry.root)
                        $0.written = other
                    }
                }
            }
        }
    }

    @Test func evidenceOfAnotherTableDoesNotHelp() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            await #expect(throws: ZooError(.blockMismatch, "")) {
                // So many tensors take more than one block, whose digest is not that of the archive.
                try await pack(registry, seeds: [1, 2, 3, 4, 5]) { handover in
                    let table = try Self.weights(handover.manifest).blocks
                    handover.manifest = try Self.replace(
                        table,
                        of: handover.manifest,
                        in: registry.root
                    ) { bytes in
                        let block = try #require(try BlockTable(canonical: bytes).blocks.last)
                        return try Self.replacing(
                            block.rawDigest.description,
                            by: ContentDigest(of: []).description,
                            in: bytes
                        )
                    }
                }
            }
        }
    }

    @Test(
        arguments: [
            // Another digest of a file, and another name of a file.
            ("digest", ZooError.Code.fileMismatch), ("model.safetensors", .memberMismatch),
        ]
    )
    func evidenceOfAnotherRecordDoesNotHelp(_ what: String, _ code: ZooError.Code) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            await #expect(throws: ZooError(code, "")) {
                try await pack(registry) { handover in
                    let record = try ReleaseManifest(canonical: handover.manifest).record
                    handover.manifest = try Self.replace(
                        record,
                        of: handover.manifest,
                        in: registry.root
                    ) { bytes in
                        guard what == "digest" else {
                            return try Self.replacing(what, by: "modem.safetensors", in: bytes)
                        }
                        let files = try ReleaseRecord(canonical: bytes).files
                        let file = try #require(files.first { $0.archive == "weights" })
                        return try Self.replacing(
                            file.digest.description,
                            by: ContentDigest(of: []).description,
                            in: bytes
                        )
                    }
                }
            }
        }
    }

    /// Copies a packed release to a new registry folder, in which some archives lie already.
    private func copy(
        in folder: TemporaryFolder,
        _ prepare: (_ manifest: [UInt8], _ source: String, _ root: String) throws -> Void,
        _ change: @escaping @Sendable (inout Interposed.Handover) throws -> Void
    ) async throws {
        let source = try SampleRegistry(in: folder)
        let digest = try await source.publish("1.0.0").digest
        let root = folder.path(of: "copy")
        try RegistryFolder.create(root, RegistryDescription(name: "copy"))
        let manifest = try BlobFolder(root: source.root).read(digest, limit: 1 << 20)
        try prepare(manifest, source.root, root)
        _ = try await Publisher(
            from: RegistryDocuments(root: source.root),
            to: Interposed(folder: try await FolderTarget(root: root), change: change)
        ).publish(digest)
    }

    @Test func anArchiveThatWasCheckedAndCopiedIsNotReadAThirdTime() async throws {
        try await TemporaryFolder.with { folder in
            let root = folder.path(of: "copy")
            try await copy(in: folder, { _, _, _ in }) {
                try Self.damageWeights(of: $0.manifest, in: root)
            }
            let report = try await RegistryCheck(root: root, workers: 1).run()
            #expect(report.findings.contains { $0.code == .blockMismatch })
        }
    }

    @Test func anArchiveThatWasThereBeforeIsRead() async throws {
        try await TemporaryFolder.with { folder in
            let place = { @Sendable (manifest: [UInt8], source: String, root: String) throws in
                let digest = try Self.weights(manifest).archive.digest
                var bytes = try BlobFolder(root: source).read(digest, limit: 1 << 30)
                bytes[bytes.count / 2] ^= 1
                let path = BlobFolder(root: root).path(of: digest)
                try FileSystem.createFolder(FileSystem.parent(of: path))
                try FileSystem.writeAtomically(path, bytes)
            }
            await #expect(throws: ZooError(.blockMismatch, "")) {
                try await copy(in: folder, place) { #expect($0.written.count == 1) }
            }
        }
    }
}
