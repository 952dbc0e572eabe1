// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooStore
package import ZooTransport

/// Reads a registry: documents are parsed and blobs checked against their digests before anybody
/// sees them, whatever the source is.
package struct Registry: Sendable {
    /// The source that was asked for; mirrors are consulted only when it fails.
    package let source: any RegistrySource
    private let transport: HTTPTransport
    private let cache: ModelStore?

    /// A registry at a location.
    ///
    /// - Parameters:
    ///   - location: where it is.
    ///   - transport: what fetches from web servers.
    ///   - cache: the store that remembers index documents; nil to ask every time.
    package init(_ location: RegistryLocation, transport: HTTPTransport, cache: ModelStore?) {
        self.transport = transport
        source = Self.source(at: location, transport)
        // A folder is as near as the cache is.
        if case .folder = location { self.cache = nil } else { self.cache = cache }
    }

    private static func source(
        at location: RegistryLocation,
        _ transport: HTTPTransport
    ) -> any RegistrySource {
        switch location {
        case .folder(let path): FolderSource(root: path)
        case .web(let base): WebSource(base: base, transport: transport)
        }
    }

    /// The registry's own description.
    package func description() async throws -> RegistryDescription {
        try RegistryDescription(canonical: try await current(.description))
    }

    /// Other places that hold the same blobs; none when the registry does not say.
    package func mirrors() async -> [any RegistrySource] {
        // Mirrors are a second chance; when even the list fails, the first failure is the news.
        let addresses = (try? await description().mirrors) ?? []
        return addresses.compactMap { try? RegistryLocation(parsing: $0) }
            .map { Self.source(at: $0, transport) }
    }

    /// The list of everything the registry holds.
    package func contents() async throws -> ImageIndex {
        do {
            return try ImageIndex(parsing: try await current(.contents))
        } catch let error as ZooError where error.code.category == .notFound {
            throw ZooError(
                .notARegistry,
                "there is no registry at \(source.address)",
                remedy: "check the address; a registry has 'zoo.json' and 'index.json' at its top",
                cause: error
            )
        }
    }

    /// The versions and channels of a model.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found`.
    package func index(of name: ModelName) async throws -> IndexDocument {
        let bytes: [UInt8]
        do {
            bytes = try await current(.index(name))
        } catch let error as ZooError where error.code.category == .notFound {
            throw ZooError(
                .modelUnknown,
                "\(source.address) has no model '\(name)'",
                remedy: await remedy(forMissing: name),
                cause: error
            )
        }
        let index = try IndexDocument(canonical: bytes)
        guard index.name == name else {
            throw ZooError(
                .releaseInconsistent,
                "the index document of '\(name)' says that it is of '\(index.name)'",
                remedy: "tell whoever runs \(source.address)"
            )
        }
        return index
    }

    /// A document that may change, revalidated with its entity tag where it was remembered.
    private func current(_ document: RegistryDocument) async throws -> [UInt8] {
        let remembered = cache?.cachedDocument(of: source.address, at: document.path)
        switch try await source.document(document, entityTag: remembered?.entityTag) {
        case .fetched(let bytes, let tag):
            // A store that cannot be written to remembers nothing; the answer is still good.
            try? cache?.remember(
                ModelStore.CachedDocument(bytes: bytes, entityTag: tag),
                of: source.address,
                at: document.path
            )
            return bytes
        case .unchanged:
            guard let remembered else {
                throw ZooError(
                    .registryMismatch,
                    "\(source.address)/\(document.path) answered 304 to a plain request"
                )
            }
            return remembered.bytes
        }
    }

    /// A manifest, checked against its digest; see ``blob(_:of:limit:)``.
    package func manifest(_ digest: ContentDigest, of name: ModelName) async throws -> [UInt8] {
        try await verified(digest) { try await $0.manifest(digest, of: name) }
    }

    /// A small blob, checked against its digest.
    ///
    /// A wrong answer is asked for once more, then from each mirror.
    ///
    /// - Parameters:
    ///   - digest: the name of the blob.
    ///   - name: the model that it belongs to.
    ///   - limit: the most bytes to accept.
    /// - Returns: the bytes.
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`, or what the source throws.
    package func blob(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await verified(digest) { try await $0.blob(digest, of: name, limit: limit) }
    }

    private func verified(
        _ digest: ContentDigest,
        _ fetch: (any RegistrySource) async throws -> [UInt8]
    ) async throws -> [UInt8] {
        do {
            return try await verified(digest, from: [source, source], fetch)
        } catch let error as ZooError {
            let mirrors = await mirrors()
            guard !mirrors.isEmpty else { throw error }
            return try await verified(digest, from: mirrors, fetch)
        }
    }

    private func verified(
        _ digest: ContentDigest,
        from sources: [any RegistrySource],
        _ fetch: (any RegistrySource) async throws -> [UInt8]
    ) async throws -> [UInt8] {
        var failure: ZooError?
        for source in sources {
            do {
                let bytes = try await fetch(source)
                if ContentDigest(of: bytes) == digest { return bytes }
                failure = ZooError(
                    .registryMismatch,
                    "\(source.address) sent something else for the blob \(digest)",
                    remedy: "try again; if it persists, tell whoever runs the registry"
                )
            } catch let error as ZooError where error.code.category == .notFound {
                failure = ZooError(
                    .blobMissing,
                    "\(source.address) lists the blob \(digest) and lacks it",
                    remedy: "tell whoever runs the registry",
                    cause: error
                )
            }
        }
        throw failure ?? ZooError(.blobMissing, "no source has the blob \(digest)")
    }
}
