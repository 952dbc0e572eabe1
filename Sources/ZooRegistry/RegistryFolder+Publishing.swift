// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

extension RegistryFolder {
    /// Publishes a release: manifest, then index document, then the derived documents.
    ///
    /// A crash leaves the old state or the new one. A crash after the index document leaves the derived
    /// documents behind; the next publication of the model, or ``rebuild(_:)``, updates them.
    ///
    /// - Parameters:
    ///   - release: the release.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: true when the release is new, false when the registry already has it.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with different
    ///   content, `registry.blob-missing` when collection removed a blob since the check, or `io.*`;
    ///   `CancellationError`.
    package func publish(_ release: CheckedRelease, _ cancellation: Cancellation) throws -> Bool {
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        for blob in release.manifest.blobs + release.manifest.skipped {
            try documents.requireBlob(blob)
        }
        switch kind {
        case .imageLayout:
            return try list(ImageIndex.Entry(release), release.bytes, limit: .max, cancellation)
        case .registry:
            let isNew = try addVersion(release, cancellation)
            // Also for a version that is already there: a crash may have left them behind.
            _ = try list(ImageIndex.Entry(release), release.bytes, cancellation)
            try updateCatalogue([release.record.name], cancellation)
            metadata.record(release.manifest, of: release.record.name)
            return isNew
        }
    }

    /// Adds the version to the index document.
    private func addVersion(
        _ release: CheckedRelease,
        _ cancellation: Cancellation
    ) throws -> Bool {
        let record = release.record
        let writer = try IndexWriter(self, record.name, cancellation)
        defer { withExtendedLifetime(writer) {} }
        let old = writer.current
        if let known = old?.entry(for: .version(record.version)) {
            guard known.digest == release.digest else {
                throw taken(record.name, record.version, by: known.digest)
            }
            try blobs.write(release.bytes)
            try synchronizeIndex(of: record.name)
            return false
        }
        try refuseDeleted(release)
        if let old, old.kind != release.manifest.kind {
            throw ZooError(
                .versionTaken,
                "'\(record.name)' is a \(old.kind.noun), and the release is a "
                    + release.manifest.kind.noun,
                remedy: "publish it under another name"
            )
        }
        try blobs.write(release.bytes)
        try writer.replace(
            with: try (old ?? IndexDocument(named: record.name, release.manifest.kind))
                .adding(record, release.digest)
        )
        return true
    }

    func taken(
        _ name: ModelName,
        _ version: SemanticVersion,
        by digest: ContentDigest
    ) -> ZooError {
        ZooError(
            .versionTaken,
            "'\(name):\(version)' already exists with different content (\(digest))",
            remedy: "versions are immutable; use a new version"
        )
    }

    /// Adds the release to `index.json`, or removes the list when it would have more than `limit`
    /// releases; returns true when the release was not listed.
    func list(
        _ entry: ImageIndex.Entry,
        _ manifest: [UInt8],
        limit: Int = RegistryLayout.imageIndexLimit,
        _ cancellation: Cancellation
    ) throws -> Bool {
        let writing = try locks.lock(.imageIndex, .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        guard let contents = try documents.imageIndex() else { return true }
        try blobs.write(manifest)
        if let other = contents.entries.first(where: {
            $0.name == entry.name && $0.version == entry.version
        }) {
            guard other.digest == entry.digest else {
                throw taken(entry.name, entry.version, by: other.digest)
            }
            try FileSystem.synchronizeFolder(root)
            return false
        }
        let path = "\(root)/\(RegistryLayout.imageIndex)"
        if contents.entries.count < limit {
            try FileSystem.writeAtomically(path, contents.adding(entry).canonicalBytes)
        } else {
            // A list that lacks releases would be wrong; without it, readers use the catalogue.
            try FileSystem.remove(path)
        }
        return true
    }

    /// Makes the name of an index document durable, which an earlier attempt may have failed to do.
    private func synchronizeIndex(of name: ModelName) throws(ZooError) {
        try FileSystem.synchronizeFolder(
            FileSystem.parent(of: "\(root)/\(RegistryLayout.index(name))")
        )
    }

    /// Completes the publication of a release that the index document lists.
    ///
    /// A crash or a full disk after the index document leaves the derived documents behind. The blobs of the
    /// release were checked before it was listed, and are not read again.
    ///
    /// - Parameters:
    ///   - manifest: the stored form of the manifest.
    ///   - identity: the name and version.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: whether a derived document was behind; nil when the index document does not list the
    ///   release, which must be published.
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`; `CancellationError`.
    package func complete(
        _ manifest: [UInt8],
        as identity: Identity,
        _ cancellation: Cancellation
    ) throws -> Bool? {
        let (name, digest) = (identity.name, ContentDigest(of: manifest))
        guard kind == .registry, let index = try documents.index(of: name),
            index.entry(for: .version(identity.version))?.digest == digest
        else { return nil }
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        try synchronizeIndex(of: name)
        let entry = ImageIndex.Entry(
            name: name,
            version: identity.version,
            digest: digest,
            size: manifest.count,
            kind: index.kind
        )
        let hasList = try documents.imageIndex() != nil
        let isListed = try !list(entry, manifest, cancellation)
        let wasBehind = try refreshCatalogue(name, cancellation) || hasList && !isListed
        if wasBehind { metadata.record(try documents.release(digest).manifest, of: name) }
        return wasBehind
    }

    // MARK: Changes of index documents

    /// Changes the index document of a model and updates the catalogue.
    ///
    /// - Parameters:
    ///   - name: the model.
    ///   - cancellation: ends the wait for other writers.
    ///   - change: returns the new document; called while other writers wait.
    /// - Returns: the new document.
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, what `change` throws, or `io.*`;
    ///   `CancellationError`.
    @discardableResult
    package func changeIndex(
        of name: ModelName,
        _ cancellation: Cancellation,
        _ change: (IndexDocument) throws -> IndexDocument
    ) throws -> IndexDocument {
        // Shared, because collection would remove the new segment of the catalogue.
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        let new = try replaceIndex(of: name, cancellation, change)
        try updateCatalogue([name], cancellation)
        return new
    }

    func unknown(_ name: ModelName) -> ZooError {
        ZooError(
            .modelUnknown,
            "'\(root)' has no model or data set '\(name)'",
            remedy: "check the name with 'ami-zoo list --registry \(root)'"
        )
    }

    /// Changes the index document of a model; the caller holds the lock of the blobs.
    @discardableResult
    func replaceIndex(
        of name: ModelName,
        _ cancellation: Cancellation,
        _ change: (IndexDocument) throws -> IndexDocument
    ) throws -> IndexDocument {
        let writer = try IndexWriter(self, name, cancellation)
        defer { withExtendedLifetime(writer) {} }
        guard let old = writer.current else { throw unknown(name) }
        let new = try change(old)
        // What did not change may come from an attempt that could not make its name durable.
        try new == old ? synchronizeIndex(of: name) : writer.replace(with: new)
        return new
    }
}

extension IndexDocument {
    /// Creates the document of a model without versions.
    package init(named name: ModelName, _ kind: ArtifactKind) throws(ZooError) {
        try self.init(name: name, kind: kind, entries: [], channels: [:])
    }

    /// Returns this document with one more version: in `stable`, or in `candidate` if it is a
    /// pre-release.
    package func adding(
        _ record: any ArchivedRecord,
        _ digest: ContentDigest
    ) throws(ZooError) -> IndexDocument {
        let entry = Entry(
            version: record.version,
            digest: digest,
            size: record.totalSize,
            created: record.created,
            licence: record.licence
        )
        var channels = channels
        let channel: ChannelName = record.version.isPrerelease ? .candidate : .stable
        channels[channel, default: []].insert(record.version)
        return try IndexDocument(
            name: name,
            kind: kind,
            entries: entries + [entry],
            channels: channels,
            unknownMembers: unknownMembers
        )
    }
}

extension ImageIndex.Entry {
    init(_ release: CheckedRelease) {
        self.init(
            name: release.record.name,
            version: release.record.version,
            digest: release.digest,
            size: release.bytes.count,
            kind: release.manifest.kind
        )
    }
}
