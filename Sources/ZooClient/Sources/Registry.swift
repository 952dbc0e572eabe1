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
        let bytes = try await current(
            RegistryLayout.description,
            limit: FormatLimits.registryDescription
        )
        return try RegistryDescription(canonical: bytes)
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
            return try ImageIndex(
                parsing: try await current(
                    RegistryLayout.imageIndex,
                    limit: FormatLimits.imageIndex
                )
            )
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
            bytes = try await current(RegistryLayout.index(name), limit: FormatLimits.indexDocument)
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
    private func current(_ path: String, limit: Int) async throws -> [UInt8] {
        let remembered = cache?.cachedDocument(of: source.address, at: path)
        switch try await source.document(path, limit: limit, entityTag: remembered?.entityTag) {
        case .fetched(let bytes, let tag):
            // A store that cannot be written to remembers nothing; the answer is still good.
            try? cache?.remember(
                ModelStore.CachedDocument(bytes: bytes, entityTag: tag),
                of: source.address,
                at: path
            )
            return bytes
        case .unchanged:
            guard let remembered else {
                throw ZooError(
                    .registryMismatch,
                    "\(source.address)/\(path) answered 304 to a plain request"
                )
            }
            return remembered.bytes
        }
    }

    /// A small blob, checked against its descriptor.
    ///
    /// A wrong answer is asked for once more, then from each mirror.
    ///
    /// - Parameters:
    ///   - digest: the name of the blob.
    ///   - limit: the most bytes to accept.
    /// - Returns: the bytes.
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`, or what the source throws.
    package func blob(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] {
        do {
            return try await blob(digest, limit: limit, from: [source, source])
        } catch let error as ZooError {
            let mirrors = await mirrors()
            guard !mirrors.isEmpty else { throw error }
            return try await blob(digest, limit: limit, from: mirrors)
        }
    }

    private func blob(
        _ digest: ContentDigest,
        limit: Int,
        from sources: [any RegistrySource]
    ) async throws -> [UInt8] {
        var failure: ZooError?
        for source in sources {
            do {
                let path = RegistryLayout.blob(digest)
                guard
                    case .fetched(let bytes, _) =
                        try await source.document(path, limit: limit, entityTag: nil)
                else { continue }
                if ContentDigest(of: bytes) == digest { return bytes }
                failure = ZooError(
                    .registryMismatch,
                    "\(source.address) sent something else for the blob \(digest)",
                    remedy: "try again; if it persists, tell whoever runs the registry"
                )
            } catch let error as ZooError {
                if error.code.category == .notFound {
                    failure = ZooError(
                        .blobMissing,
                        "\(source.address) lists the blob \(digest) and lacks it",
                        remedy: "tell whoever runs the registry",
                        cause: error
                    )
                    continue
                }
                throw error
            }
        }
        throw failure ?? ZooError(.blobMissing, "no source has the blob \(digest)")
    }
}
