// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
package import ZooStore

/// A registry folder that is open for writing.
///
/// Writers take an advisory lock, so that concurrent writers do not lose each other's entries.
package struct RegistryFolder: Sendable {
    /// The path of the folder.
    package let root: String
    /// The blobs.
    package let blobs: BlobFolder
    let lock: OpenFile

    /// Creates a registry.
    ///
    /// - Parameters:
    ///   - root: an empty folder, or a path that does not exist.
    ///   - description: the content of `zoo.json`.
    /// - Throws: ``ZooError`` with code `registry.exists`, or `io.*`. Blocking.
    package static func create(_ root: String, _ description: RegistryDescription) throws(ZooError)
    {
        guard try FileSystem.names(in: root).isEmpty else {
            throw ZooError(
                .registryExists,
                "'\(root)' is not empty",
                remedy: "choose an empty folder for the registry"
            )
        }
        try createLayout(root)
        try FileSystem.createFolder("\(root)/index")
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.description)",
            description.canonicalBytes
        )
    }

    /// Writes the files of an OCI image layout.
    private static func createLayout(_ root: String) throws(ZooError) {
        try FileSystem.createFolder("\(root)/\(RegistryLayout.blobs)")
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.imageIndex)",
            ImageIndex(entries: []).canonicalBytes
        )
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.imageLayout)",
            Array(RegistryLayout.imageLayoutContent.utf8)
        )
    }

    /// Opens a registry or OCI image layout for writing and waits for another writer to finish.
    ///
    /// A new or empty folder becomes an image layout.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, or `io.*`. Blocking.
    package static func openForWriting(
        _ root: String,
        _ cancellation: Cancellation
    ) throws -> RegistryFolder {
        if try FileSystem.names(in: root).isEmpty { try createLayout(root) }
        guard try FileSystem.status("\(root)/\(RegistryLayout.imageLayout)") != nil else {
            throw ZooError(
                .notARegistry,
                "'\(root)' is neither empty nor a registry",
                remedy: "choose a registry or an empty folder"
            )
        }
        let lock = try OpenFile("\(root)/.lock", .write)
        while !lock.tryLock() {
            try cancellation.check()
            FileSystem.pause(milliseconds: 50)
        }
        return RegistryFolder(root: root, blobs: BlobFolder(root: root), lock: lock)
    }

    /// Reads the list of manifests.
    package func contents() throws(ZooError) -> ImageIndex {
        try ImageIndex(
            parsing: try FileSystem.document(
                "\(root)/\(RegistryLayout.imageIndex)",
                limit: FormatLimits.imageIndex
            )
        )
    }

    /// Adds a release whose blobs are already stored.
    ///
    /// - Returns: true when the release is new, false when the registry already has it.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with
    ///   different content, or `io.*`.
    func add(_ manifest: ReleaseManifest, of record: any ArchivedRecord) throws(ZooError) -> Bool {
        let bytes = manifest.canonicalBytes
        let entry = ImageIndex.Entry(
            name: record.name,
            version: record.version,
            digest: ContentDigest(of: bytes),
            size: bytes.count,
            kind: manifest.kind
        )
        let contents = try contents()
        if let other = contents.entries.first(where: {
            $0.name == entry.name && $0.version == entry.version
        }) {
            guard other.digest == entry.digest else { throw Self.taken(entry, by: other.digest) }
            try blobs.write(bytes)
            return false
        }
        try blobs.write(bytes)
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.imageIndex)",
            contents.adding(entry).canonicalBytes
        )
        return true
    }

    private static func taken(_ entry: ImageIndex.Entry, by digest: ContentDigest) -> ZooError {
        ZooError(
            .versionTaken,
            "'\(entry.name):\(entry.version)' already exists with different content (\(digest))",
            remedy: "versions are immutable; use a new version"
        )
    }

    // MARK: Index documents

    /// Updates the index document of every model from the list of manifests.
    ///
    /// Yanks, channels and unknown members are preserved. A new version is added to `stable`, or to
    /// `candidate` if it is a pre-release.
    ///
    /// - Returns: the documents that changed.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the digest of a listed version
    ///   changed, `store.blob-mismatch`, a code of the documents, or `io.*`.
    package func rebuildIndex() throws(ZooError) -> [IndexDocument] {
        var changed: [IndexDocument] = []
        for (name, entries) in Dictionary(grouping: try contents().entries, by: \.name) {
            let path = "\(root)/\(RegistryLayout.index(name))"
            let old: IndexDocument? =
                if try FileSystem.status(path) == nil { nil } else {
                    try IndexDocument(
                        canonical: try FileSystem.document(
                            path,
                            limit: FormatLimits.indexDocument
                        )
                    )
                }
            let new = try index(of: name, entries, after: old)
            guard new != old else { continue }
            try FileSystem.createFolder(FileSystem.parent(of: path))
            try FileSystem.writeAtomically(path, new.canonicalBytes)
            changed.append(new)
        }
        return changed.sorted { $0.name < $1.name }
    }

    private func index(
        of name: ModelName,
        _ entries: [ImageIndex.Entry],
        after old: IndexDocument?
    ) throws(ZooError) -> IndexDocument {
        var versions: [IndexDocument.Entry] = []
        var channels = old?.channels ?? [:]
        for entry in entries {
            let known = old?.entry(for: .version(entry.version))
            if let known, known.digest != entry.digest {
                throw Self.taken(entry, by: known.digest)
            }
            let manifest = try ReleaseManifest(
                canonical: try blobs.read(entry.digest, limit: FormatLimits.manifest)
            )
            let record = try manifest.kind.record(
                canonical: try blobs.read(manifest.record.digest, limit: FormatLimits.record)
            )
            versions.append(
                IndexDocument.Entry(
                    version: entry.version,
                    digest: entry.digest,
                    size: record.totalSize,
                    created: record.created,
                    licence: record.licence,
                    yank: known?.yank,
                    attachments: known?.attachments ?? [],
                    unknownMembers: known?.unknownMembers ?? [:]
                )
            )
            if known == nil {
                let channel: ChannelName = entry.version.isPrerelease ? .candidate : .stable
                channels[channel, default: []].insert(entry.version)
            }
        }
        return try IndexDocument(
            name: name,
            kind: entries.first?.kind ?? old?.kind ?? .model,
            entries: versions,
            channels: channels,
            unknownMembers: old?.unknownMembers ?? [:]
        )
    }
}
