// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A source of registry documents and blobs: a registry folder, a web server or an OCI registry.
///
/// A source does not verify content; ``Registry`` verifies everything that a source delivers.
package protocol RegistrySource: Sendable {
    /// The address, for messages.
    var address: String { get }

    /// Fetches a mutable document.
    ///
    /// - Parameters:
    ///   - document: the document.
    ///   - entityTag: the entity tag of the cached copy; nil for an unconditional request.
    /// - Returns: the document, or `unchanged` when the cached copy is current.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such document.
    func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument

    /// Fetches the index document with every version, also where ``document(_:entityTag:)`` leaves out old
    /// ones because each costs requests.
    ///
    /// - Parameters:
    ///   - name: the model.
    ///   - entityTag: the entity tag of the cached copy; nil for an unconditional request.
    /// - Returns: the document, or `unchanged` when the cached copy is current.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such document.
    func completeIndex(
        of name: ModelName,
        entityTag: String?
    ) async throws -> SourceDocument

    /// Fetches a manifest.
    ///
    /// - Parameters:
    ///   - digest: the digest of the manifest.
    ///   - name: the model; an OCI registry stores manifests by repository.
    ///   - limit: the maximum size in bytes.
    /// - Returns: the bytes, unverified.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such manifest.
    func manifest(_ digest: ContentDigest, of name: ModelName, limit: Int) async throws -> [UInt8]

    /// Fetches a small blob: a record or a block table.
    ///
    /// - Parameters:
    ///   - digest: the digest of the blob.
    ///   - name: the model that the blob belongs to.
    ///   - limit: the maximum size in bytes.
    /// - Returns: the bytes, unverified.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such blob.
    func blob(_ digest: ContentDigest, of name: ModelName, limit: Int) async throws -> [UInt8]

    /// Fetches a segment of the catalogue.
    ///
    /// - Parameters:
    ///   - digest: the digest of the segment.
    ///   - name: the first model in the segment.
    ///   - limit: the maximum size in bytes.
    /// - Returns: the bytes, unverified.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such segment.
    func segment(_ digest: ContentDigest, of name: ModelName, limit: Int) async throws -> [UInt8]

    /// Streams a range of a large blob, in order and each byte once.
    ///
    /// - Parameters:
    ///   - blob: the digest and the size of the whole blob.
    ///   - name: the model that the blob belongs to.
    ///   - range: the byte range; nil for the whole blob.
    ///   - sink: receives the bytes on a thread that may block; an error it throws ends the transfer.
    /// - Throws: the error of `sink`, or ``ZooError``; code `transport.ranges-ignored` when the source
    ///   does not support ranges.
    func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws

    /// Lists what is attached to a release: signatures, evidence and provenance.
    ///
    /// - Parameters:
    ///   - digest: the digest of the release's manifest.
    ///   - name: the model that the release belongs to.
    /// - Returns: the attachments, unverified; empty when there are none.
    /// - Throws: the error of the source.
    func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment]
}

extension RegistrySource {
    /// Fetches the index document, which lists every version where a registry has it.
    ///
    /// - Parameters:
    ///   - name: the model.
    ///   - entityTag: the entity tag of the cached copy; nil for an unconditional request.
    /// - Returns: the document, or `unchanged` when the cached copy is current.
    /// - Throws: the error of the source.
    package func completeIndex(
        of name: ModelName,
        entityTag: String?
    ) async throws -> SourceDocument {
        try await document(.index(name), entityTag: entityTag)
    }

    /// Fetches a segment as any other blob, where a registry folder stores it.
    ///
    /// - Parameters:
    ///   - digest: the digest of the segment.
    ///   - name: the first model in the segment.
    ///   - limit: the maximum size in bytes.
    /// - Returns: the bytes, unverified.
    /// - Throws: the error of the source.
    package func segment(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await blob(digest, of: name, limit: limit)
    }

    /// Reads the list from the index document, where a registry folder has it.
    ///
    /// - Parameters:
    ///   - digest: the digest of the release's manifest.
    ///   - name: the model that the release belongs to.
    /// - Returns: the attachments; empty when there are none.
    /// - Throws: the error of the source.
    package func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        guard case .fetched(let bytes, _) = try await document(.index(name), entityTag: nil) else {
            return []
        }
        let index = try IndexDocument(canonical: bytes)
        return index.entries.first { $0.digest == digest }?.attachments ?? []
    }
}

/// A mutable document of a registry.
package enum RegistryDocument: Hashable, Sendable {
    /// The name and mirrors of the registry.
    case description
    /// The head of the catalogue.
    case catalogue
    /// The list of all manifests, which a registry may leave out.
    case imageIndex
    /// The versions and channels of a model.
    case index(ModelName)
    /// A file of the signed metadata, or one that it names by its digest; it is never one of another API.
    case signed(String, limit: Int)

    /// The path in a registry folder and in the cache.
    package var path: String {
        switch self {
        case .description: RegistryLayout.description
        case .catalogue: RegistryLayout.catalogue
        case .imageIndex: RegistryLayout.imageIndex
        case .index(let name): RegistryLayout.index(name)
        case .signed(let path, _): path
        }
    }

    /// Whether `ami-zoo serve` has the document also for those who must log in.
    var isServed: Bool {
        switch self {
        case .catalogue, .signed: true
        case .description, .imageIndex, .index: false
        }
    }

    /// The maximum size in bytes.
    package var limit: Int {
        switch self {
        case .description: FormatLimits.registryDescription
        case .catalogue: FormatLimits.catalogue
        case .imageIndex: FormatLimits.imageIndex
        case .index: FormatLimits.indexDocument
        case .signed(_, let limit): limit
        }
    }
}

/// The response of a source to a request for a document.
package enum SourceDocument: Sendable {
    /// The cached copy is current.
    case unchanged
    /// The document, with its entity tag if the source has one.
    case fetched([UInt8], entityTag: String?)
}
