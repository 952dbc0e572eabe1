// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTransport

/// The index document of a model in an OCI registry that is not `ami-zoo serve`.
///
/// It is the layer of an artifact under the tag `_index` of the model's repository. Other clients publish
/// versions without changing it, so tags that are versions and that it lacks belong to it too, in the
/// channels that publishing would choose. `registry/SPEC.md` section 8.2.
struct TaggedIndex: Sendable {
    /// What the registry has at one moment.
    struct State: Sendable {
        /// The digest of the manifest under the tag `_index`; nil when there is none.
        let tag: ContentDigest?
        /// The document; nil when there is no release either.
        let document: IndexDocument?
    }

    let repositories: OCIRepositories
    let name: ModelName

    /// The number of versions that a reader takes from tags; each costs two requests.
    static let limit = 64

    /// Addresses the index document of a model.
    init(of name: ModelName, in repositories: OCIRepositories) {
        self.repositories = repositories
        self.name = name
    }

    /// Reads the document with versions that it does not list.
    ///
    /// - Parameter limit: the number of versions to take from tags, the newest first.
    /// - Returns: the document and the manifest that it comes from.
    /// - Throws: ``ZooError`` as ``stored()``, or `transport.*`.
    func state(unlisted limit: Int) async throws -> State {
        let (tag, stored) = try await stored() ?? (nil, nil)
        let listed = Set(stored?.entries.map(\.version) ?? [])
        let versions = Set(
            try await repositories.tags(of: name).compactMap { tag in
                try? SemanticVersion(parsing: tag.description)
            }
        ).subtracting(listed).sorted().suffix(limit)
        var kind = stored?.kind
        var entries = stored?.entries ?? []
        var channels = stored?.channels ?? [:]
        for version in versions {
            guard let (found, entry) = try await entry(version) else { continue }
            // Data sets and models do not share a name.
            guard kind == nil || kind == found else { continue }
            kind = found
            entries.append(entry)
            channels[version.isPrerelease ? .candidate : .stable, default: []].insert(version)
        }
        guard let kind else { return State(tag: tag, document: nil) }
        let document = try IndexDocument(
            name: name,
            kind: kind,
            entries: entries,
            channels: channels,
            unknownMembers: stored?.unknownMembers ?? [:]
        )
        return State(tag: tag, document: document)
    }

    // MARK: The artifact

    private func manifest() async throws -> [UInt8]? {
        try await repositories.manifest(
            OCITag.index.description,
            of: name,
            limit: FormatLimits.artifactManifest
        )
    }

    /// Reads the artifact; nil when there is none.
    ///
    /// - Throws: ``ZooError`` with code `registry.index-invalid` when the tag is not an index document,
    ///   `registry.release-inconsistent` when it is that of another model, `registry.digest-mismatch`,
    ///   the code of a malformed document, or `transport.*`.
    func stored() async throws -> (tag: ContentDigest, document: IndexDocument)? {
        guard let bytes = try await manifest() else { return nil }
        let layer: ArtifactManifest.Link?
        do {
            layer = try ArtifactManifest(parsing: bytes).blobs.first {
                $0.mediaType == IndexDocument.mediaType
            }
        } catch { throw invalid(error) }
        guard let layer else {
            throw invalid(
                ZooError(.indexInvalid, "it has no layer of type '\(IndexDocument.mediaType)'")
            )
        }
        let document = try await content(of: layer)
        guard document.name == name else {
            throw invalid(
                ZooError(
                    .releaseInconsistent,
                    "it is the index document of '\(document.name)'"
                )
            )
        }
        return (ContentDigest(of: bytes), document)
    }

    private func content(of layer: ArtifactManifest.Link) async throws -> IndexDocument {
        let bytes: [UInt8]
        do {
            bytes = try await repositories.blob(
                layer.digest,
                of: name,
                limit: FormatLimits.indexDocument
            )
        } catch let error as ZooError where error.code == .resourceNotFound {
            throw invalid(ZooError(.indexInvalid, "the blob \(layer.digest) is missing"))
        }
        guard BlobDigest(of: bytes, layer.digest.algorithm) == layer.digest else {
            throw ZooError(
                .registryMismatch,
                "the index document of '\(name)' at \(repositories.address) does not have the "
                    + "digest \(layer.digest)",
                remedy: "run the command again; if it fails again, tell the registry's owner"
            )
        }
        do { return try IndexDocument(canonical: bytes) } catch { throw invalid(error) }
    }

    private func invalid(_ error: ZooError) -> ZooError {
        ZooError(
            error.code,
            "the tag '\(OCITag.index)' of '\(name)' at \(repositories.address) is not its index "
                + "document: \(error.message)",
            remedy: error.remedy
                ?? "tell the registry's owner, who can remove the tag: the versions are then "
                + "those that have tags, without yanks"
        )
    }

    // MARK: Tags

    /// The entry of a tag; nil when it is not a release of that version.
    private func entry(
        _ version: SemanticVersion
    ) async throws -> (ArtifactKind, IndexDocument.Entry)? {
        guard
            let bytes = try await repositories.manifest(
                version.description,
                of: name,
                limit: FormatLimits.manifest
            ),
            let manifest = try? ReleaseManifest(canonical: bytes)
        else { return nil }
        let recordBytes: [UInt8]
        do {
            recordBytes = try await repositories.blob(
                BlobDigest(manifest.record.digest),
                of: name,
                limit: FormatLimits.record
            )
        } catch let error as ZooError where error.code == .resourceNotFound {
            // One broken version does not hide the others.
            return nil
        }
        guard ContentDigest(of: recordBytes) == manifest.record.digest,
            let record = try? manifest.kind.record(canonical: recordBytes),
            record.name == name, record.version == version
        else { return nil }
        let entry = IndexDocument.Entry(
            version: version,
            digest: ContentDigest(of: bytes),
            size: record.totalSize,
            created: record.created,
            licence: record.licence
        )
        return (manifest.kind, entry)
    }
}
