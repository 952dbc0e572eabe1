// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore
package import ZooFiles
package import ZooRegistry
package import ZooTransport

/// An OCI registry that releases are pushed to: `ami-zoo serve`, or any other.
package struct OCITarget: RegistryTarget {
    let repositories: OCIRepositories
    private let spool: String
    /// What publishes in a signed registry; nil without keys.
    private let signed: SignedEditor?

    /// Creates a target.
    ///
    /// - Parameters:
    ///   - base: the address, with a prefix of the repositories as its path.
    ///   - transport: the HTTP transport.
    ///   - credentials: finds the credentials of the registry.
    ///   - spool: a folder for temporary files, which is created.
    ///   - keys: the keys that sign what is published, which a signed registry requires.
    ///   - trusted: the registries whose root this machine trusts.
    /// - Throws: ``ZooError`` with code `reference.malformed`.
    package init(
        base: String,
        transport: HTTPTransport,
        credentials: @escaping RegistryCredentials.Lookup,
        spool: String,
        keys: PublisherKeys = .none,
        trusted: TrustedRegistries? = nil
    ) throws(ZooError) {
        let repositories = OCIRepositories(
            try OCIEndpoint(base: base),
            transport: transport,
            credentials: credentials
        )
        self.repositories = repositories
        self.spool = spool
        signed = SignedEditor(
            repositories,
            at: base,
            transport: transport,
            credentials: credentials,
            keys: keys,
            trusted: trusted
        )
    }

    /// The origin and prefix.
    package var address: String { repositories.address }

    /// An editor, which every OCI registry has.
    package func indexEditor() async throws -> IndexEditor? {
        IndexEditor(repositories, signed: signed)
    }

    /// Whether the registry has a blob in the model's repository.
    package func holds(_ blob: Descriptor, of name: ModelName) async throws -> Bool {
        try await repositories.holds(blob.digest, of: name)
    }

    /// Creates a temporary file.
    package func draft() async throws -> BlobFolder.Draft {
        try await BlockingWork.run { [spool] _ in try BlobFolder(root: spool).draft() }
    }

    /// Uploads a draft and removes it.
    package func put(
        _ draft: BlobFolder.Draft,
        as digest: ContentDigest,
        of name: ModelName
    ) async throws {
        let blob = Descriptor(
            mediaType: "application/octet-stream",
            digest: digest,
            size: try draft.file.status().size
        )
        if try await !holds(blob, of: name) {
            _ = try await put(draft.file, as: blob, blocks: nil, of: name) { _ in }
        }
        await discard(draft)
    }

    /// Removes a draft.
    package func discard(_ draft: BlobFolder.Draft) async {
        // The spool folder is temporary as a whole.
        try? BlobFolder(root: spool).discard(draft)
    }

    /// Uploads a small blob.
    package func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
        try await repositories.put(bytes, of: name)
    }

    // MARK: Uploads

    /// Uploads a blob that arrives as a stream, through a temporary file: an upload may have to repeat a
    /// part.
    package func put(
        _ blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void,
        from content: BlobContent
    ) async throws -> Int {
        let file = try await BlockingWork.run { [spool] _ in
            try FileSystem.createFolder(spool)
            let file = try OpenFile("\(spool)/.\(FileSystem.uniqueName()).tmp", .createPrivate)
            // Without a name, the file goes with the process.
            try FileSystem.remove(file.path)
            return file
        }
        let written = StreamedBlob(in: file)
        try await content { try written.write($0) }
        try written.require(blob)
        return try await put(file, as: blob, blocks: table, of: name, progress: progress)
    }

    /// The number of bytes that one request carries, so that a failure repeats little.
    private static let chunk = 64 << 20

    /// Uploads a file: block-wise where the registry announces that and the file is an archive, else in
    /// chunks, of which one that fails is sent again from where the registry stopped.
    package func put(
        _ file: OpenFile,
        as blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Int {
        if let table, try await repositories.takesBlocks() {
            let upload = BlockwiseUpload(to: self, file, blob, table, of: name, progress)
            return try await upload.run()
        }
        do {
            try await upload(file, as: blob, of: name, progress: progress)
        } catch let error as ZooError where error.code == .resourceNotFound {
            // The upload is gone: its last request was answered, but the response was lost, or the registry
            // dropped bytes that it could not write.
            guard try await !holds(blob, of: name) else { return blob.size }
            try await upload(file, as: blob, of: name) { _ in }
        }
        return blob.size
    }

    private func upload(
        _ file: OpenFile,
        as blob: Descriptor,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        var location = try await repositories.startUpload(of: name)
        var sent = 0
        var failures = 0
        while sent < blob.size {
            let range = sent..<min(sent + Self.chunk, blob.size)
            do {
                let response = try await patch(location, file, range, of: name)
                location = response.location ?? location
                // A registry may store less than it was sent; it says how much.
                let stored = Self.end(of: response["Range"]) ?? range.upperBound
                guard stored > sent, stored <= range.upperBound else {
                    throw repositories.unexpected(
                        "it stored \(stored) of \(range.upperBound) bytes"
                    )
                }
                progress(stored - sent)
                (sent, failures) = (stored, 0)
            } catch let error as ZooError where error.code.category == .unreachable {
                failures += 1
                guard failures < Self.attempts else { throw error }
                (location, sent) = try await resume(location, of: name, after: error)
            }
        }
        try await repositories.finish(location, blob.digest, of: name, body: RequestBody([]))
    }

    /// The number of failures in a row after which an upload ends.
    static let attempts = 5

    func patch(
        _ location: String,
        _ file: OpenFile,
        _ range: Range<Int>,
        of name: ModelName
    ) async throws -> HTTPResponse {
        let start = range.lowerBound
        let response = try await repositories.send(
            .patch,
            location,
            of: name,
            .push,
            headers: [
                HeaderField("Content-Type", "application/octet-stream"),
                HeaderField("Content-Range", "\(start)-\(range.upperBound - 1)"),
            ],
            body: RequestBody(size: range.count) { part in
                try file.bytes(start + part.lowerBound..<start + part.upperBound)
            }
        )
        try repositories.requireAccepted(response)
        return response
    }

    /// Asks where an upload stopped.
    private func resume(
        _ location: String,
        of name: ModelName,
        after error: ZooError
    ) async throws -> (location: String, sent: Int) {
        let response = try await repositories.send(.get, location, of: name, .push)
        guard response.status == 204 || response.status == 202 else { throw error }
        // "0-0" is an upload without a byte on some registries; sending byte 0 again is harmless there.
        let end = Self.end(of: response["Range"]) ?? 0
        return (response.location ?? location, end == 1 ? 0 : end)
    }

    /// The end of a `Range: 0-END` header, exclusive.
    private static func end(of header: String?) -> Int? {
        header?.split(separator: "-").last.flatMap { Int($0) }.map { $0 + 1 }
    }

    // MARK: Manifests

    /// Pushes the manifest under the tag of its version.
    package func publish(
        _ manifest: [UInt8],
        as identity: RegistryFolder.Identity,
        written: [ArchiveEvidence]
    ) async throws -> Bool {
        let digest = ContentDigest(of: manifest)
        let tag = identity.version.description
        if let signed {
            return try await signed.publish(manifest, as: identity) {
                try require($0, digest, of: identity)
            }
        }
        if let existing = try await repositories.manifest(
            tag,
            of: identity.name,
            limit: FormatLimits.artifactManifest
        ) {
            try require(ContentDigest(of: existing), digest, of: identity)
            if try await repositories.servesIndexDocuments() {
                try await complete(manifest, as: tag, of: identity.name)
            }
            return false
        }
        // Somebody may have a version whose tag is gone.
        if try await !repositories.servesIndexDocuments(),
            let listed = try await TaggedIndex(of: identity.name, in: repositories).stored()?
                .document.entry(for: .version(identity.version))
        {
            try require(listed.digest, digest, of: identity)
        }
        try await repositories.push(
            manifest,
            ArtifactManifest.manifestType,
            as: tag,
            of: identity.name
        )
        return true
    }

    private func require(
        _ existing: ContentDigest,
        _ digest: ContentDigest,
        of release: RegistryFolder.Identity
    ) throws(ZooError) {
        guard existing != digest else { return }
        throw ZooError(
            .versionTaken,
            "'\(release.name):\(release.version)' already exists at \(address) with different "
                + "content (\(existing))",
            remedy: "versions are immutable; use a new version"
        )
    }

    /// Lists what is attached to a release.
    package func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        try await repositories.referrers(of: digest, name)
    }

    /// Pushes a manifest by its digest; a registry without the referrers API gets the referrers tag too.
    package func attach(
        _ manifest: [UInt8],
        _ attachment: IndexDocument.Attachment,
        to digest: ContentDigest,
        of name: ModelName
    ) async throws {
        let response = try await repositories.push(
            manifest,
            ArtifactManifest.manifestType,
            as: attachment.digest.description,
            of: name
        )
        if let signed { return try await signed.attach(manifest, attachment, to: digest, of: name) }
        // With this header, the registry says that it lists the manifest by itself.
        guard response["OCI-Subject"] == nil else { return }
        let tag = BlobDigest(digest).referrersTag
        for attempt in 0...OCIRepositories.contestedWrites {
            let (written, found) = try await repositories.referrersIndex(of: digest, name)
            guard !found.attachments.contains(where: { $0.digest == attachment.digest }) else {
                return
            }
            guard attempt < OCIRepositories.contestedWrites else { break }
            var index = found
            index.add(attachment)
            try await repositories.replace(
                tag,
                written,
                with: index.bytes,
                ArtifactManifest.indexType,
                of: name
            )
        }
        throw ZooError(
            .indexBusy,
            "other clients replaced the tag '\(tag)' of '\(name)' at \(address) "
                + "\(OCIRepositories.contestedWrites) times in a row, and it does not list "
                + "\(attachment.digest)",
            remedy: "run the command again"
        )
    }

    /// Sends a manifest that `ami-zoo serve` has already: if the server was killed, or its disk became full,
    /// while it published the release, it now brings its catalogue up to date.
    private func complete(
        _ manifest: [UInt8],
        as tag: String,
        of name: ModelName
    ) async throws {
        let response = try await repositories.send(
            manifest,
            ArtifactManifest.manifestType,
            as: tag,
            of: name
        )
        // The release is there, also for those who may not write.
        if response.status != 403 { try repositories.requireAccepted(response) }
    }
}
