// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

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
    /// - Parameter target: the registry that receives the release.
    /// - Returns: the result of packing.
    /// - Throws: ``ZooError`` with code `pack.description-invalid`, `registry.version-taken`, a
    ///   `release.*` or `format.*` code for an invalid record, the codes of ``DataSetDraft``, or `io.*`;
    ///   `CancellationError`.
    package func pack(to target: any RegistryTarget) async throws -> PackReport {
        let record = try await BlockingWork.run { cancellation in
            try request.kind.record(canonical: recordDocument(cancellation).canonicalBytes)
        }
        var archives: [ReleaseManifest.Archive] = []
        var evidence: [WrittenArchive] = []
        for name in Set(record.files.map(\.archive)).sorted() {
            let (archive, written) = try await writeArchive(name, of: record, to: target)
            archives.append(archive)
            evidence.append(written)
        }
        let manifest = ReleaseManifest(
            kind: record.kind,
            record: Descriptor(
                mediaType: record.kind.recordType,
                digest: try await target.put(record.canonicalBytes, of: record.name),
                size: record.canonicalBytes.count
            ),
            archives: archives
        )
        let isNew = try await target.publish(
            manifest.canonicalBytes,
            as: RegistryFolder.Identity(name: record.name, version: record.version),
            written: evidence
        )
        return PackReport(
            reference: ModelReference(name: record.name, selector: .version(record.version)),
            kind: record.kind,
            digest: ContentDigest(of: manifest.canonicalBytes),
            bytesTotal: record.totalSize,
            bytesStored: archives.reduce(0) { $0 + $1.archive.size },
            alreadyThere: !isNew
        )
    }

    // MARK: Record

    private func listPaths() throws(ZooError) -> [ReleasePath] {
        var paths: [ReleasePath] = []
        for name in try FileSystem.files(below: request.source)
        where !request.isDescription(name) {
            paths.append(try ReleasePath(parsing: name))
        }
        return paths
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
    ) async throws -> (archive: ReleaseManifest.Archive, written: WrittenArchive) {
        let layout = record.layout(of: name)
        let writer = ArchiveWriter(
            layout: layout,
            plan: BlockPlan(layout: layout, tensorStarts: request.tensorStarts),
            encoding: request.encoding
        )
        let draft = try await target.draft()
        let written: WrittenArchive
        do {
            let digests = record.files.map { ($0.path, $0.digest) }
            written = try await BlockingWork.run { [request] cancellation in
                try writer.write(
                    from: request.source,
                    digests: Dictionary(uniqueKeysWithValues: digests),
                    to: draft.file,
                    cancellation
                )
            }
            try await target.put(draft, as: written.table.archiveDigest, of: record.name)
        } catch {
            await target.discard(draft)
            throw error
        }
        let table = written.table
        let tableBytes = table.canonicalBytes
        let suffix = request.encoding == .zstd ? ".tar.zst" : ".tar"
        let archive = ReleaseManifest.Archive(
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
                digest: try await target.put(tableBytes, of: record.name),
                size: tableBytes.count,
                annotations: [
                    ReleaseManifest.MediaType.archiveName: name,
                    ReleaseManifest.MediaType.title: name + ".blocks.json",
                ]
            )
        )
        return (archive, written)
    }
}
