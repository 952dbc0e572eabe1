// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTransport

/// A registry on a web server.
package struct WebSource: RegistrySource {
    private let base: String
    private let transport: HTTPTransport

    /// Creates a source for a base URL.
    package init(base: String, transport: HTTPTransport) {
        self.base = base
        self.transport = transport
    }

    /// The base URL.
    package var address: String { base }

    /// Fetches a document unless the cached copy is current.
    package func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument {
        let request = DocumentRequest(
            url: "\(base)/\(document.path)",
            limit: document.limit,
            entityTag: entityTag
        )
        switch try await transport.document(request) {
        case .notModified: return .unchanged
        case .fetched(let bytes, let tag): return .fetched(bytes, entityTag: tag)
        }
    }

    /// Fetches a manifest, which this layout stores as a blob.
    package func manifest(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await blob(digest, of: name, limit: limit)
    }

    /// Fetches a blob; this layout stores the blobs of all models together.
    package func blob(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        let url = "\(base)/\(RegistryLayout.blob(digest))"
        let request = DocumentRequest(url: url, limit: limit, entityTag: nil)
        switch try await transport.document(request) {
        case .fetched(let bytes, _): return bytes
        case .notModified:
            throw ZooError(.registryMismatch, "\(url) answered 304 to an unconditional request")
        }
    }

    /// Streams a range of a blob; the transport retries and resumes.
    package func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        let url = "\(base)/\(RegistryLayout.blob(blob.digest))"
        let request = StreamRequest(url: url, totalSize: blob.size, range: range)
        try await transport.stream(request, into: sink)
    }
}
