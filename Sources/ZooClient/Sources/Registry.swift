// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
internal import ZooRegistry
package import ZooStore
package import ZooTransport
internal import ZooTrust

/// A registry client that parses documents and verifies the digests of blobs from any source.
package struct Registry: Sendable {
    /// The primary source; mirrors are used only when it fails.
    package let source: any RegistrySource
    private let transport: HTTPTransport
    private let credentials: RegistryCredentials.Lookup
    let cache: ModelStore?
    /// The folder of a registry on this machine; nil for others.
    let folder: String?
    private let knownMirrors = KnownMirrors()
    private let location: RegistryLocation
    private let trusted: TrustedRegistries?
    private let now: @Sendable () -> Timestamp
    private let signed = KnownSignedRegistry()

    /// Creates a client of the registry at a location.
    ///
    /// - Parameters:
    ///   - location: the location of the registry.
    ///   - transport: the HTTP transport.
    ///   - cache: the store that caches index documents; nil for no cache.
    ///   - credentials: finds the credentials of an OCI registry.
    ///   - trusted: the registries that are read through their signed metadata only; nil for none.
    ///   - now: the time with which the expiry dates of metadata are compared.
    package init(
        _ location: RegistryLocation,
        transport: HTTPTransport,
        cache: ModelStore?,
        credentials: @escaping RegistryCredentials.Lookup = { _ in nil },
        trusted: TrustedRegistries? = nil,
        now: @escaping @Sendable () -> Timestamp = {
            Timestamp(secondsSince1970: Clock.seconds())
        }
    ) {
        self.location = location
        self.trusted = trusted
        self.now = now
        self.transport = transport
        self.credentials = credentials
        source = Self.source(at: location, transport, credentials)
        // A local folder needs no cache.
        if case .folder(let path) = location {
            (self.cache, folder) = (nil, path)
        } else {
            (self.cache, folder) = (cache, nil)
        }
    }

    private static func source(
        at location: RegistryLocation,
        _ transport: HTTPTransport,
        _ credentials: @escaping RegistryCredentials.Lookup
    ) -> any RegistrySource {
        switch location {
        case .folder(let path): FolderSource(root: path)
        case .web(let base):
            AddressSource(base: base, transport: transport, credentials: credentials)
        }
    }

    /// Reads the description of the registry.
    package func description() async throws -> RegistryDescription {
        try RegistryDescription(canonical: try await current(.description))
    }

    /// The mirrors of the registry; empty when it lists none or cannot be read.
    ///
    /// The list is read once per client, because a server that failed would otherwise be waited for
    /// again with each document.
    package func mirrors() async -> [any RegistrySource] {
        if let known = knownMirrors.sources.withLock({ $0 }) { return known }
        // Mirrors are a fallback: when their list cannot be read, the original failure is reported.
        let addresses = (try? await description().mirrors) ?? []
        let sources = addresses.compactMap { try? RegistryLocation(parsing: $0) }
            .map { Self.source(at: $0, transport, credentials) }
        knownMirrors.sources.withLock { $0 = sources }
        return sources
    }

    /// Reads the versions and channels of a model.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found`.
    package func index(of name: ModelName) async throws -> IndexDocument {
        try await index(of: name) { try await source.document(.index(name), entityTag: $0) }
    }

    /// Reads the index document of a model with every version, which takes two requests for each where the
    /// registry has no index document.
    ///
    /// - Throws: as ``index(of:)``.
    func completeIndex(of name: ModelName) async throws -> IndexDocument {
        try await index(of: name) { try await source.completeIndex(of: name, entityTag: $0) }
    }

    private func index(
        of name: ModelName,
        reading read: (_ entityTag: String?) async throws -> SourceDocument
    ) async throws -> IndexDocument {
        let bytes: [UInt8]
        do {
            if let proved = try await provedIndex(of: name) {
                bytes = proved.index
            } else {
                bytes = try await current(.index(name), reading: read)
            }
        } catch let error as ZooError
            where error.code.category == .notFound && error.code != .trustMissing
        {
            throw ZooError(
                .modelUnknown,
                "\(source.address) has no model or data set '\(name)'",
                remedy: await remedy(forMissing: name),
                cause: error
            )
        }
        let index = try IndexDocument(canonical: bytes)
        guard index.name == name else {
            throw ZooError(
                .releaseInconsistent,
                "the index document of '\(name)' has the name '\(index.name)'",
                remedy: "tell the owner of \(source.address)"
            )
        }
        return index
    }

    /// The current index document of a model with what proves it; nil for a registry whose root is not trusted.
    ///
    /// - Throws: ``ZooError`` with code `trust.target-not-found`, or another `trust.*` code.
    private func provedIndex(of name: ModelName) async throws -> IndexProof? {
        try await signedRegistry()?.index(of: name)
    }

    /// Whether the registry is read through its signed metadata.
    ///
    /// - Throws: ``ZooError`` with a code of a damaged list of trusted registries.
    package func isSigned() throws -> Bool { try signedRegistry() != nil }

    /// What proves that the index document of a model is current; nil for a registry whose root is not trusted.
    ///
    /// - Throws: as ``index(of:)``.
    func trustReceipt(of name: ModelName) async throws -> TrustReceipt? {
        try await provedIndex(of: name).map { TrustReceipt(registry: source.address, $0) }
    }

    /// What is attached to a release: as signed, where the registry is.
    ///
    /// - Throws: the error of the source, or as ``index(of:)``.
    package func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        guard try isSigned() else { return try await source.attachments(of: digest, name) }
        return try await index(of: name).attachments(of: digest)
    }

    private func signedRegistry() throws -> SignedRegistry? {
        try signed.value.withLock { known in
            if let known { return known.registry }
            let registry = try newSignedRegistry()
            known = KnownSignedRegistry.Answer(registry: registry)
            return registry
        }
    }

    /// A new update of the signed registry; nil for one whose root is not trusted.
    func newSignedRegistry() throws -> SignedRegistry? {
        try trusted?.entry(for: location).map {
            SignedRegistry($0, source, cache: cache, now: now())
        }
    }

    /// Reads a mutable document and revalidates a cached copy with its entity tag.
    func current(_ document: RegistryDocument) async throws -> [UInt8] {
        try await current(document) { try await source.document(document, entityTag: $0) }
    }

    private func current(
        _ document: RegistryDocument,
        reading read: (_ entityTag: String?) async throws -> SourceDocument
    ) async throws -> [UInt8] {
        let remembered = cache?.cachedDocument(of: source.address, at: document.path)
        switch try await read(remembered?.entityTag) {
        case .fetched(let bytes, let tag):
            // A cache write may fail, for example in a read-only store; the document is still valid.
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
                    "\(source.address)/\(document.path) answered 304 to an unconditional request"
                )
            }
            return remembered.bytes
        }
    }

    /// Reads a manifest and verifies its digest; see ``blob(_:of:limit:)``.
    package func manifest(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int = FormatLimits.artifactManifest
    ) async throws -> [UInt8] {
        try await verified(digest) { try await $0.manifest(digest, of: name, limit: limit) }
    }

    /// Reads a small blob and verifies its digest.
    ///
    /// A blob with a wrong digest is requested once more, then from each mirror.
    ///
    /// - Parameters:
    ///   - digest: the digest of the blob.
    ///   - name: the model that the blob belongs to.
    ///   - limit: the maximum size in bytes.
    /// - Returns: the bytes.
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`, or the error of the source.
    package func blob(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await verified(digest) { try await $0.blob(digest, of: name, limit: limit) }
    }

    /// Fetches a segment of the catalogue and verifies its digest.
    ///
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`, or the error of the source.
    func segment(_ segment: RegistryCatalogue.Segment) async throws -> [UInt8] {
        try await verified(segment.digest) {
            try await $0.segment(segment.digest, of: segment.first, limit: FormatLimits.segment)
        }
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
                    "\(source.address) sent wrong bytes for the blob \(digest)",
                    remedy: "try again; if the error persists, tell the owner of the registry"
                )
            } catch let error as ZooError where error.code.category == .notFound {
                failure = ZooError(
                    .blobMissing,
                    "\(source.address) lists the blob \(digest) but does not have it",
                    remedy: "tell the owner of the registry",
                    cause: error
                )
            }
        }
        throw failure ?? ZooError(.blobMissing, "no source has the blob \(digest)")
    }
}

/// The mirrors of a registry, once their list was read.
private final class KnownMirrors: Sendable {
    let sources = Mutex<[any RegistrySource]?>(nil)
}

/// How a registry is read, once the list of trusted registries was read.
private final class KnownSignedRegistry: Sendable {
    struct Answer {
        /// Nil for a registry whose root is not trusted.
        let registry: SignedRegistry?
    }

    let value = Mutex<Answer?>(nil)
}
