// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// Makes a release from a model folder and puts it into a registry folder.
///
/// The same folder, description and program give the same bytes on any machine. Order of writing:
/// archives, tables and record, then the manifest, then the list of manifests; a crash at any point
/// leaves the old state and blobs that nothing refers to.
package struct Packer: Sendable {
    private let request: PackRequest

    /// A packer for one request.
    package init(_ request: PackRequest) { self.request = request }

    /// Packs.
    ///
    /// - Throws: ``ZooError`` with code `pack.description-invalid`, `registry.version-taken`, a
    ///   `release.*` or `format.*` code for what the record would break, or `io.*`.
    package func pack() async throws -> PackReport {
        try await BlockingWork.run { cancellation in
            let registry = try RegistryFolder.openForWriting(request.output, cancellation)
            return try pack(into: registry, cancellation)
        }
    }

    private func pack(
        into registry: RegistryFolder,
        _ cancellation: Cancellation
    ) throws -> PackReport {
        let files = try listFiles(cancellation)
        let record = try ReleaseRecord(canonical: recordDocument(files).canonicalBytes)
        var archives: [ReleaseManifest.Archive] = []
        for name in Set(record.files.map(\.archive)).sorted() {
            archives.append(try writeArchive(name, of: record, into: registry.blobs, cancellation))
        }
        let recordDigest = try registry.blobs.write(record.canonicalBytes)
        let manifest = ReleaseManifest(
            record: Descriptor(
                mediaType: ReleaseManifest.MediaType.record,
                digest: recordDigest,
                size: record.canonicalBytes.count
            ),
            archives: archives
        )
        let added = try registry.add(manifest, of: record)
        return PackReport(
            reference: ModelReference(name: record.name, selector: .version(record.version)),
            digest: ContentDigest(of: manifest.canonicalBytes),
            bytesTotal: record.totalSize,
            bytesStored: archives.reduce(0) { $0 + $1.archive.size },
            alreadyThere: !added
        )
    }

    // MARK: Record

    private func listFiles(_ cancellation: Cancellation) throws -> [RecordDraft.File] {
        let names = try FileSystem.files(below: request.source)
        return try names.filter { !PackRequest.descriptionNames.contains($0) }.map { name in
            let path = try ReleasePath(parsing: name)
            let full = "\(request.source)/\(name)"
            return RecordDraft.File(
                path: path,
                size: try OpenFile(full, .read).status().size,
                digest: try FileDigest.compute(full, cancellation),
                holdsTensors: request.tensorStarts[path] != nil
            )
        }
    }

    private func recordDocument(_ files: [RecordDraft.File]) throws -> JSONValue {
        try RecordDraft(
            description: request.description,
            configuration: try configuration(),
            files: files,
            components: request.components
        ).document()
    }

    /// What the model folder itself says, where the author has not said it.
    private func configuration() throws -> JSONValue? {
        let object = try request.description.object("architecture")
        guard object.value("configuration") == nil else { return nil }
        let bytes = try FileSystem.document("\(request.source)/config.json", limit: 1 << 20)
        return try JSONValue(parsing: bytes)
    }

    // MARK: Archives

    private func writeArchive(
        _ name: String,
        of record: ReleaseRecord,
        into blobs: BlobFolder,
        _ cancellation: Cancellation
    ) throws -> ReleaseManifest.Archive {
        let layout = record.layout(of: name)
        let writer = ArchiveWriter(
            layout: layout,
            plan: BlockPlan(layout: layout, tensorStarts: request.tensorStarts),
            encoding: request.encoding
        )
        let draft = try blobs.draft()
        let table: BlockTable
        do {
            let digests = record.files.map { ($0.path, $0.digest) }
            table = try writer.write(
                from: request.source,
                digests: Dictionary(uniqueKeysWithValues: digests),
                to: draft.file,
                cancellation
            )
            try blobs.commit(draft, as: table.archiveDigest)
        } catch {
            // The failure that stopped the writing is the one to report.
            try? blobs.discard(draft)
            throw error
        }
        let tableBytes = table.canonicalBytes
        let suffix = request.encoding == .zstd ? ".tar.zst" : ".tar"
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
                digest: try blobs.write(tableBytes),
                size: tableBytes.count,
                annotations: [
                    ReleaseManifest.MediaType.archiveName: name,
                    ReleaseManifest.MediaType.title: name + ".blocks.json",
                ]
            )
        )
    }
}
