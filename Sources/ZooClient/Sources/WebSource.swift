// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooTransport

/// A registry behind any web server.
package struct WebSource: RegistrySource {
    private let base: String
    private let transport: HTTPTransport

    /// The registry at a base address.
    package init(base: String, transport: HTTPTransport) {
        self.base = base
        self.transport = transport
    }

    /// The base address.
    package var address: String { base }

    /// Fetches a document, or learns that the remembered copy is current.
    package func document(
        _ path: String,
        limit: Int,
        entityTag: String?
    ) async throws -> SourceDocument {
        let request = DocumentRequest(url: "\(base)/\(path)", limit: limit, entityTag: entityTag)
        switch try await transport.document(request) {
        case .notModified: return .unchanged
        case .fetched(let bytes, let tag): return .fetched(bytes, entityTag: tag)
        }
    }

    /// Fetches part of a blob; the transport resumes and retries by itself.
    package func stream(
        _ path: String,
        size: Int,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        let request = StreamRequest(url: "\(base)/\(path)", totalSize: size, range: range)
        try await transport.stream(request, into: sink)
    }
}
