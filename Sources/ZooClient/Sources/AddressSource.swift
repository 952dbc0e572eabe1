// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooTransport

/// A registry behind an `http` or `https` address, whose kind the first answers show.
///
/// A registry folder answers the first request, so nothing is asked in advance. When the address has no
/// such document and no `zoo.json`, but `/v2/`, it is an OCI registry.
package struct AddressSource: RegistrySource {
    private let web: WebSource
    /// Nil when the path of the address cannot be the prefix of a repository.
    private let oci: OCISource?
    private let kind = Kind()
    private let credentials: RegistryCredentials.Lookup

    /// Creates a source for a base URL.
    init(
        base: String,
        transport: HTTPTransport,
        credentials: @escaping RegistryCredentials.Lookup
    ) {
        self.credentials = credentials
        web = WebSource(base: base, transport: transport)
        oci = (try? OCIEndpoint(base: base)).map {
            OCISource(OCIRepositories($0, transport: transport, credentials: credentials))
        }
    }

    /// What is known of the address; asked once.
    private actor Kind {
        private var isOCI: Bool?

        func know(isOCI: Bool) { self.isOCI = isOCI }

        func isOCI(_ ask: () async throws -> Bool) async rethrows -> Bool {
            if let isOCI { return isOCI }
            let found = try await ask()
            isOCI = found
            return found
        }
    }

    /// The base URL.
    package var address: String { web.address }

    /// Whether the address has no `zoo.json`, but an OCI registry.
    private func isOCI() async throws -> Bool {
        guard let oci else { return false }
        return try await kind.isOCI {
            do {
                _ = try await web.document(.description, entityTag: nil)
                return false
            } catch let error as ZooError where error.isAnswer {
                return try await oci.isThere()
            }
        }
    }

    private func hasCredentials() async throws -> Bool {
        let host = web.address.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" }
        return try await credentials(String(host)) != nil
    }

    private func source() async throws -> any RegistrySource {
        guard let oci, try await isOCI() else { return web }
        return oci
    }

    /// Fetches a document; the first answer decides the kind of the registry.
    package func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument {
        do {
            let found = try await web.document(document, entityTag: entityTag)
            await kind.know(isOCI: false)
            return found
        } catch let error as ZooError where error.isAnswer {
            // No other kind of registry has these files, and asking would cost requests each time. But a server with
            // accounts shows them only to those who log in.
            if case .signed = document, try await !hasCredentials() { throw error }
            guard let oci, try await isOCI() else { throw error }
            return try await oci.document(document, entityTag: entityTag)
        }
    }

    /// Fetches the index document with every version.
    package func completeIndex(
        of name: ModelName,
        entityTag: String?
    ) async throws -> SourceDocument {
        try await source().completeIndex(of: name, entityTag: entityTag)
    }

    /// Fetches a manifest.
    package func manifest(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await source().manifest(digest, of: name, limit: limit)
    }

    /// Fetches a small blob.
    package func blob(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await source().blob(digest, of: name, limit: limit)
    }

    /// Fetches a segment of the catalogue.
    package func segment(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await source().segment(digest, of: name, limit: limit)
    }

    /// Streams a range of a blob.
    package func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        try await source().stream(blob, of: name, range: range, into: sink)
    }

    /// Lists what is attached to a release.
    package func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        try await source().attachments(of: digest, name)
    }
}

extension ZooError {
    /// Whether a server answered, but not with the document: the path may belong to another API.
    fileprivate var isAnswer: Bool {
        [.resourceNotFound, .loginRequired, .forbidden, .webPage, .statusUnexpected].contains(code)
    }
}
