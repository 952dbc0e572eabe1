// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooTransport

/// An OCI registry of any kind.
///
/// `ami-zoo serve` serves the index document of a model to those who may read the model, and the
/// catalogue to those who may read all models. On any other
/// registry it is the artifact under the tag `_index` of its repository. Where that is
/// absent, the tags that are versions are its versions, in the channels that publishing would choose.
package struct OCISource: RegistrySource {
    private let repositories: OCIRepositories

    init(_ repositories: OCIRepositories) { self.repositories = repositories }

    /// The origin and prefix.
    package var address: String {
        let prefix = repositories.endpoint.prefix
        return repositories.endpoint.origin + (prefix.isEmpty ? "" : "/\(prefix.dropLast())")
    }

    /// Whether the server answers as an OCI registry does.
    ///
    /// - Throws: ``ZooError`` with code `transport.*` when it does not answer.
    func isThere() async throws -> Bool { try await repositories.isThere() }

    /// Fetches an index document, or the catalogue of `ami-zoo serve`; there are no other documents.
    package func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument {
        if case .catalogue = document,
            let served = try await repositories.file(
                document.path,
                entityTag: entityTag,
                limit: document.limit
            )
        {
            return served
        }
        guard case .index(let name) = document else {
            throw ZooError(
                .resourceNotFound,
                "\(address) is an OCI registry, which has no '\(document.path)'",
                remedy: "name a model: 'ami-zoo versions NAME --registry \(address)'"
            )
        }
        if let served = try await repositories.indexDocument(of: name, entityTag: entityTag) {
            return served
        }
        if let bytes = try await storedIndex(of: name) { return .fetched(bytes, entityTag: nil) }
        return .fetched(try await indexFromTags(of: name).canonicalBytes, entityTag: nil)
    }

    /// The layer of the artifact under the tag `_index`.
    private func storedIndex(of name: ModelName) async throws -> [UInt8]? {
        guard
            let bytes = try await repositories.manifest(
                OCITag.index.description,
                of: name,
                limit: FormatLimits.artifactManifest
            )
        else { return nil }
        let manifest = try ArtifactManifest(parsing: bytes)
        guard
            let layer = manifest.blobs.first(where: { $0.mediaType == IndexDocument.mediaType })
        else { return nil }
        let document = try await repositories.blob(
            layer.digest,
            of: name,
            limit: FormatLimits.indexDocument
        )
        guard BlobDigest(ContentDigest(of: document)) == layer.digest else {
            throw ZooError(
                .registryMismatch,
                "the index document of '\(name)' at \(address) does not have the digest "
                    + "\(layer.digest)",
                remedy: "run the command again; if it fails again, tell the registry's owner"
            )
        }
        return document
    }

    /// The number of versions to list when the tags are all there is; each costs two requests.
    private static let listedVersions = 64

    private func indexFromTags(of name: ModelName) async throws -> IndexDocument {
        let versions = try await repositories.tags(of: name)
            .compactMap { try? SemanticVersion(parsing: $0.description) }
            .sorted().suffix(Self.listedVersions)
        var entries: [IndexDocument.Entry] = []
        var kind: ArtifactKind?
        for version in versions {
            guard let (found, entry) = try await entry(of: name, version) else { continue }
            // Data sets and models do not share a name.
            guard kind == nil || kind == found else { continue }
            kind = found
            entries.append(entry)
        }
        guard let kind else {
            throw ZooError(
                .resourceNotFound,
                "\(address) has no releases of '\(name)'",
                remedy: "check the name and the address"
            )
        }
        var channels: [ChannelName: Set<SemanticVersion>] = [:]
        for entry in entries {
            channels[entry.version.isPrerelease ? .candidate : .stable, default: []]
                .insert(entry.version)
        }
        return try IndexDocument(name: name, kind: kind, entries: entries, channels: channels)
    }

    /// The entry of a tag; nil when its manifest is not a release.
    private func entry(
        of name: ModelName,
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
        let digest = ContentDigest(of: bytes)
        let recordBytes = try await blob(
            manifest.record.digest,
            of: name,
            limit: FormatLimits.record
        )
        guard ContentDigest(of: recordBytes) == manifest.record.digest,
            let record = try? manifest.kind.record(canonical: recordBytes)
        else { return nil }
        let entry = IndexDocument.Entry(
            version: version,
            digest: digest,
            size: record.totalSize,
            created: record.created,
            licence: record.licence
        )
        return (manifest.kind, entry)
    }

    /// Fetches a manifest from the model's repository.
    package func manifest(_ digest: ContentDigest, of name: ModelName) async throws -> [UInt8] {
        guard
            let bytes = try await repositories.manifest(
                digest.description,
                of: name,
                limit: FormatLimits.artifactManifest
            )
        else {
            throw ZooError(
                .resourceNotFound,
                "\(address) has no manifest \(digest) of '\(name)'",
                remedy: "run 'ami-zoo versions \(name) --registry \(address)' to see its versions"
            )
        }
        return bytes
    }

    /// Fetches a small blob from the model's repository.
    package func blob(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await repositories.blob(BlobDigest(digest), of: name, limit: limit)
    }

    /// Fetches a segment of the catalogue from `ami-zoo serve`: it is a blob of no repository.
    package func segment(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        let path = RegistryLayout.blob(digest)
        guard
            case .fetched(let bytes, _)? = try await repositories.file(
                path,
                entityTag: nil,
                limit: limit
            )
        else { throw ZooError(.resourceNotFound, "\(address) has no '\(path)'") }
        return bytes
    }

    /// Streams a range of a blob of the model's repository.
    package func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        try await repositories.stream(blob, of: name, range: range, into: sink)
    }

    /// Lists what is attached to a release, by the referrers API or the referrers tag.
    package func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        try await repositories.referrers(of: digest, name)
    }
}
