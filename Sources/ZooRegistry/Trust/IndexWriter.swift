// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// The exclusive right to change the index document of one model.
///
/// In a signed registry it also holds the metadata, so that the signed state and the index document change
/// together: the document under its digest, the metadata, the document under its name. What a writer that was
/// killed left between the last two is completed first.
struct IndexWriter {
    private let folder: RegistryFolder
    private let name: ModelName
    private let index: OpenFile
    private let signed: SignedIndex?
    /// The current index document; nil when the registry does not have the model.
    let current: IndexDocument?

    /// Waits for the locks of the index document and, in a signed registry, of the metadata.
    ///
    /// - Throws: ``ZooError`` with code `trust.index-unsigned`, a code of the documents or the metadata, or
    ///   `io.*`; `CancellationError`.
    init(
        _ folder: RegistryFolder,
        _ name: ModelName,
        _ cancellation: Cancellation
    ) throws {
        self.folder = folder
        self.name = name
        index = try folder.locks.lock(.index(name), .exclusive, cancellation)
        signed = try SignedIndex(folder, cancellation)
        try signed?.completeLastChange()
        try signed?.restore(name)
        current = try folder.documents.index(of: name)
    }

    /// Replaces the index document.
    ///
    /// - Throws: ``ZooError`` with code `trust.signer-required`, or `io.*`.
    func replace(with document: IndexDocument) throws {
        let bytes = document.canonicalBytes
        try replace(
            with: bytes,
            try signed?.change(
                of: name,
                to: TargetFile(SignedIndex.target(of: name), content: bytes)
            )
        )
    }

    /// Replaces the index document by one that a publisher signed.
    ///
    /// - Parameters:
    ///   - document: the document.
    ///   - targets: the next version of the role that lists it.
    /// - Throws: ``ZooError`` with code `trust.not-signed`, or as ``SignedIndex/change(of:to:signedAs:)``.
    func replace(with document: IndexDocument, signedAs targets: [UInt8]) throws {
        guard let signed else {
            throw ZooError(
                .trustAbsent,
                "'\(folder.root)' is not signed",
                remedy: "publish without --sign-with"
            )
        }
        let bytes = document.canonicalBytes
        let file = TargetFile(SignedIndex.target(of: name), content: bytes)
        try replace(with: bytes, try signed.change(of: name, to: file, signedAs: targets))
    }

    private func replace(
        with bytes: [UInt8],
        _ change: (RepositoryChange, RegistrySigner)?
    ) throws {
        let path = "\(folder.root)/\(RegistryLayout.index(name))"
        try FileSystem.createFolder(FileSystem.parent(of: path))
        if try folder.documents.description().namesIndexDocumentsByDigest {
            let revision = IndexRevision(of: name, ContentDigest(of: bytes))
            try FileSystem.writeAtomically("\(folder.root)/\(revision.path)", bytes)
        }
        if let change { try signed?.commit(change) }
        try FileSystem.writeAtomically(path, bytes)
    }

    /// Checks that the keys suffice for a change, before something is written that cannot be taken back.
    ///
    /// - Throws: ``ZooError`` with code `trust.signer-required`.
    func requireSigner() throws { _ = try signed?.change(of: name, to: nil) }

    /// Removes the index document.
    ///
    /// - Throws: ``ZooError`` with code `trust.signer-required`, or `io.*`.
    func remove() throws {
        if let signed { try signed.commit(try signed.change(of: name, to: nil)) }
        let path = "\(folder.root)/\(RegistryLayout.index(name))"
        try FileSystem.remove(path)
        try FileSystem.synchronizeFolder(FileSystem.parent(of: path))
    }
}
