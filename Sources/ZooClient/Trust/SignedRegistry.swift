// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooStore
package import ZooTrust

/// The index documents of a registry whose root is trusted, read through its signed metadata.
///
/// One value performs one update: every document that it returns is of the same state of the registry.
actor SignedRegistry {
    private let entry: TrustedRegistries.Entry
    private let source: any RegistrySource
    private let cache: ModelStore?
    private let updater: MetadataUpdater
    private var isCurrent = false

    /// Starts an update.
    ///
    /// - Parameters:
    ///   - entry: the registry.
    ///   - source: its files.
    ///   - cache: the store that caches index documents; nil for no cache.
    ///   - now: the time with which expiry dates are compared.
    init(
        _ entry: TrustedRegistries.Entry,
        _ source: any RegistrySource,
        cache: ModelStore?,
        now: Timestamp
    ) {
        self.entry = entry
        self.source = source
        self.cache = cache
        updater = MetadataUpdater(
            folder: entry.metadata,
            files: RegistryFiles(source: source, folder: MetadataRepository.folder),
            now: now
        )
    }

    /// The current index document of a model, and what proves that it is.
    ///
    /// A document of an earlier pull that is still the signed one is not requested again.
    ///
    /// - Throws: ``ZooError`` with code `trust.target-not-found` when the registry does not list the model, or
    ///   as ``MetadataUpdater/refresh()``.
    func index(of name: ModelName) async throws -> IndexProof {
        try await refresh()
        let (target, proof) = try await updater.proof(of: "\(name.namespace)/\(name.name).json")
        guard target.length <= FormatLimits.indexDocument else {
            throw ZooError.tooLarge(target.path, limit: FormatLimits.indexDocument)
        }
        let document = RegistryDocument.index(name)
        if let known = cache?.cachedDocument(of: source.address, at: document.path),
            (try? target.require(known.bytes)) != nil
        {
            return IndexProof(index: known.bytes, proof: proof)
        }
        let bytes = try await updater.content(
            of: target,
            from: RegistryFiles(source: source, folder: "index")
        )
        // A cache write may fail, for example in a read-only store; the document is still valid.
        try? cache?.remember(
            ModelStore.CachedDocument(bytes: bytes, entityTag: nil),
            of: source.address,
            at: document.path
        )
        return IndexProof(index: bytes, proof: proof)
    }

    /// The role that signs for a model, whether or not it lists it.
    ///
    /// - Throws: as ``MetadataUpdater/signingRole(for:)``.
    func signingRole(of name: ModelName) async throws -> SigningRole {
        try await refresh()
        return try await updater.signingRole(for: "\(name.namespace)/\(name.name).json")
    }

    /// Updates the metadata once, while no other process does.
    private func refresh() async throws {
        guard !isCurrent else { return }
        let path = "\(entry.metadata.path)/.lock"
        let lock = try await BlockingWork.run { cancellation in
            let file = try OpenFile(path, .write)
            while !file.tryLock() {
                try cancellation.check()
                FileSystem.pause(milliseconds: 20)
            }
            return file
        }
        defer { withExtendedLifetime(lock) {} }
        try await updater.refresh()
        isCurrent = true
    }
}

/// An index document with the metadata that proves that it was current.
package struct IndexProof: Sendable {
    /// The document.
    package let index: [UInt8]
    /// The metadata.
    package let proof: TargetProof
}

/// A folder of a registry as files of a TUF repository.
private struct RegistryFiles: RepositoryFiles {
    let source: any RegistrySource
    let folder: String

    /// The codes of a folder and of a web server for a document above the limit.
    private static let tooLarge = ["io.document-too-large", "transport.document-too-large"]

    func file(_ name: String, limit: Int) async throws -> [UInt8]? {
        do {
            let document = RegistryDocument.signed("\(folder)/\(name)", limit: limit)
            guard case .fetched(let bytes, _) = try await source.document(document, entityTag: nil)
            else { return nil }
            return bytes
        } catch let error as ZooError where error.code.category == .notFound {
            return nil
        } catch let error as ZooError
            where error.code.category == .notPermitted
            && name.hasSuffix(".\(RoleName.root.fileName())")
        {
            // Object stores without the right to list say so of a file that does not exist, as the next root does.
            return nil
        } catch let error as ZooError where Self.tooLarge.contains(error.code.rawValue) {
            throw ZooError.tooLarge(name, limit: limit)
        }
    }
}
