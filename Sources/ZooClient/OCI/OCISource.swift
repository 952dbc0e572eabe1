// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooTransport

/// An OCI registry of any kind.
///
/// `ami-zoo serve` serves the index document of a model to those who may read the model, and the
/// catalogue to those who may read all models. On any other registry it is a ``TaggedIndex``.
package struct OCISource: RegistrySource {
    private let repositories: OCIRepositories

    init(_ repositories: OCIRepositories) { self.repositories = repositories }

    /// The origin and prefix.
    package var address: String { repositories.address }

    /// Whether the server answers as an OCI registry does.
    ///
    /// - Throws: ``ZooError`` with code `transport.*` when it does not answer.
    func isThere() async throws -> Bool { try await repositories.isThere() }

    /// Fetches an index document, or the catalogue or signed metadata of `ami-zoo serve`; there are no other
    /// documents.
    package func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument {
        if document.isServed,
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
        return try await index(of: name, entityTag, unlisted: TaggedIndex.limit)
    }

    /// Fetches the index document of a model, with all versions that have tags.
    package func completeIndex(
        of name: ModelName,
        entityTag: String?
    ) async throws -> SourceDocument {
        try await index(of: name, entityTag, unlisted: .max)
    }

    private func index(
        of name: ModelName,
        _ entityTag: String?,
        unlisted limit: Int
    ) async throws -> SourceDocument {
        if let served = try await repositories.indexDocument(of: name, entityTag: entityTag) {
            return served
        }
        let state = try await TaggedIndex(of: name, in: repositories).state(unlisted: limit)
        guard let index = state.document else {
            throw ZooError(
                .resourceNotFound,
                "\(address) has no releases of '\(name)'",
                remedy: "check the name and the address"
            )
        }
        return .fetched(index.canonicalBytes, entityTag: nil)
    }

    /// Fetches a manifest from the model's repository.
    package func manifest(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        guard
            let bytes = try await repositories.manifest(
                digest.description,
                of: name,
                limit: limit
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
