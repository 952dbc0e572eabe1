// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore

/// Packs the folder of a model or data set into a release and writes it to a registry.
///
/// The result is reproducible: the same folder, description and program version give the same bytes.
/// The manifest is written last, after archives, block tables and record, so a crash leaves the old
/// state and unreferenced blobs.
package struct Packer: Sendable {
    private let request: PackRequest

    /// Creates a packer for one request.
    package init(_ request: PackRequest) { self.request = request }

    /// Packs the release.
    ///
    /// - Parameters:
    ///   - target: the registry that receives the release.
    ///   - permit: called before the release becomes visible, with what it will be; an error stops it, and
    ///     what it returns is attached to the release.
    /// - Returns: the result of packing.
    /// - Throws: ``ZooError`` with code `pack.description-invalid`, `registry.version-taken`, a
    ///   `release.*` or `format.*` code for an invalid record, the codes of ``DataSetDraft``, or `io.*`;
    ///   `CancellationError`.
    package func pack(
        to target: any RegistryTarget,
        permit: (PackedRelease) async throws -> [AttachmentDraft] = { _ in [] }
    ) async throws -> PackReport {
        let record = try await BlockingWork.run { cancellation in
            try request.kind.record(canonical: recordDocument(cancellation).canonicalBytes)
        }
        var archives: [ReleaseManifest.Archive] = []
        var written: [ArchiveEvidence] = []
        for name in Self.archives(of: record) {
            let archive = try await writeArchive(name, of: record, to: target)
            archives.append(entry(name, archive.table))
            _ = try await target.put(archive.table.canonicalBytes, of: record.name)
            written.append(archive)
        }
        let manifest = Self.manifest(of: record, archives)
        let packed = PackedRelease(record: record, manifest: manifest)
        let drafts = try await permit(packed)
        _ = try await target.put(record.canonicalBytes, of: record.name)
        let isNew = try await target.publish(
            manifest.canonicalBytes,
            as: RegistryFolder.Identity(name: record.name, version: record.version),
            written: written
        )
        var attached: [String] = []
        for draft in drafts
        where try await target.attach(draft, to: packed.digest, of: record.name) {
            attached.append(draft.type)
        }
        return PackReport(
            reference: ModelReference(name: record.name, selector: .version(record.version)),
            kind: record.kind,
            digest: packed.digest,
            bytesTotal: record.totalSize,
            bytesStored: archives.reduce(0) { $0 + $1.archive.size },
            alreadyThere: !isNew,
            attached: attached
        )
    }

    /// Computes what ``pack(to:)`` would write, and writes nothing.
    ///
    /// - Returns: the record, and the manifest whose digest names the release.
    /// - Throws: as ``pack(to:)``, without the errors of a registry.
    package func identify() async throws -> PackedRelease {
        try await BlockingWork.run { cancellation in
            let document = try recordDocument(cancellation).canonicalBytes
            let record = try request.kind.record(canonical: document)
            let archives = try Self.archives(of: record).map { name in
                entry(name, try archive(name, of: record, to: nil, cancellation).table)
            }
            return PackedRelease(record: record, manifest: Self.manifest(of: record, archives))
        }
    }

    private static func archives(of record: any ArchivedRecord) -> [String] {
        Set(record.files.map(\.archive)).sorted()
    }

    private static func manifest(
        of record: any ArchivedRecord,
        _ archives: [ReleaseManifest.Archive]
    ) -> ReleaseManifest {
        ReleaseManifest(
            kind: record.kind,
            record: Descriptor(
                mediaType: record.kind.recordType,
                digest: ContentDigest(of: record.canonicalBytes),
                size: record.canonicalBytes.count
            ),
            archives: archives
        )
    }

    // MARK: Record

    private func listPaths() throws(ZooError) -> [ReleasePath] {
        var paths: [ReleasePath] = []
        for name in try FileSystem.files(below: request.source)
        where !request.isDescription(name) && !Self.isAttached(name) {
            paths.append(try ReleasePath(parsing: name))
        }
        return paths
    }

    /// Whether a file of the folder is attached to the release, and no part of it.
    private static func isAttached(_ name: String) -> Bool {
        name.isExactly(InstalledRelease.signatureName)
            || name.isExactly(ConversionProvenance.fileName)
    }

    private func describe(
        _ paths: [ReleasePath],
        _ cancellation: Cancellation
    ) throws -> [RecordDraft.File] {
        try paths.map { path in
            let full = "\(request.source)/\(path)"
            return RecordDraft.File(
                path: path,
                size: try OpenFile(full, .read).status().size,
                digest: try FileDigest.compute(full, cancellation),
                holdsTensors: request.tensorStarts[path] != nil
            )
        }
    }

    private func recordDocument(_ cancellation: Cancellation) throws -> JSONValue {
        let paths = try listPaths()
        switch request.kind {
        case .model:
            return try RecordDraft(
                description: request.description,
                configuration: try configuration(),
                files: try describe(paths, cancellation),
                components: request.components
            ).document()
        case .dataset:
            // Before the files are hashed, which can take long.
            let draft = try DataSetDraft(description: request.description, paths: paths)
            if let path = draft.labelTable {
                let bytes = try FileSystem.document(
                    "\(request.source)/\(path)",
                    limit: LabelTable.limit
                )
                try draft.check(try LabelTable(parsing: bytes))
            }
            return draft.document(try describe(paths, cancellation))
        }
    }

    /// The content of `config.json`; nil when the description has a configuration.
    private func configuration() throws -> JSONValue? {
        let object = try request.description.object("architecture")
        guard object.value("configuration") == nil else { return nil }
        let bytes = try FileSystem.document("\(request.source)/config.json", limit: 1 << 20)
        return try JSONValue(parsing: bytes)
    }

    // MARK: Archives

    private func writeArchive(
        _ name: String,
        of record: any ArchivedRecord,
        to target: any RegistryTarget
    ) async throws -> ArchiveEvidence {
        let draft = try await target.draft()
        do {
            let written = try await BlockingWork.run { cancellation in
                try archive(name, of: record, to: draft.file, cancellation)
            }
            try await target.put(draft, as: written.table.archiveDigest, of: record.name)
            return written
        } catch {
            await target.discard(draft)
            throw error
        }
    }

    private func archive(
        _ name: String,
        of record: any ArchivedRecord,
        to file: OpenFile?,
        _ cancellation: Cancellation
    ) throws -> ArchiveEvidence {
        let layout = record.layout(of: name)
        let digests = record.files.map { ($0.path, $0.digest) }
        return try ArchiveWriter(
            layout: layout,
            plan: BlockPlan(layout: layout, tensorStarts: request.tensorStarts),
            encoding: request.encoding
        ).write(
            from: request.source,
            digests: Dictionary(uniqueKeysWithValues: digests),
            to: file,
            cancellation
        )
    }

    private func entry(_ name: String, _ table: BlockTable) -> ReleaseManifest.Archive {
        let suffix = request.encoding == .zstd ? ".tar.zst" : ".tar"
        let bytes = table.canonicalBytes
        return ReleaseManifest.Archive(
            name: name,
            archive: Descriptor(
                mediaType: ReleaseManifest.MediaType.archive(request.encoding),
                digest: table.archiveDigest,
                size: table.archiveSize,
                annotations: [
                    ReleaseManifest.MediaType.archiveName: name,
                    ReleaseManifest.MediaType.title: name + suffix,
                ]
            ),
            blocks: Descriptor(
                mediaType: ReleaseManifest.MediaType.blocks,
                digest: ContentDigest(of: bytes),
                size: bytes.count,
                annotations: [
                    ReleaseManifest.MediaType.archiveName: name,
                    ReleaseManifest.MediaType.title: name + ".blocks.json",
                ]
            )
        )
    }
}
