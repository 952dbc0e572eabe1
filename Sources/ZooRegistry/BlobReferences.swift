// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The blobs that the documents of a registry folder refer to, directly or through manifests.
struct BlobReferences {
    private let documents: RegistryDocuments
    private(set) var digests: Set<ContentDigest> = []
    /// Digests of other algorithms.
    private(set) var others: Set<BlobDigest> = []

    init(_ documents: RegistryDocuments) { self.documents = documents }

    func contains(_ digest: BlobDigest) -> Bool {
        digest.contentDigest.map(digests.contains) ?? others.contains(digest)
    }

    /// Adds everything that is published.
    ///
    /// - Throws: ``ZooError`` with code `registry.blob-missing` when a manifest is missing, a code of
    ///   the documents, or `io.*`: with an unreadable document, nobody knows what it refers to.
    mutating func addDocuments(_ cancellation: Cancellation) throws {
        for name in try documents.names() {
            try cancellation.check()
            for entry in try documents.index(of: name)?.entries ?? [] {
                try addManifest(BlobDigest(entry.digest), isRequired: true)
                for attachment in entry.attachments {
                    try addManifest(BlobDigest(attachment.digest), isRequired: true)
                }
            }
        }
        try addImageIndex(cancellation)
        for segment in try documents.catalogue()?.segments ?? [] { digests.insert(segment.digest) }
        try addArtifacts(cancellation)
    }

    /// Adds what `index.json` lists, including the entries of other OCI tools.
    private mutating func addImageIndex(_ cancellation: Cancellation) throws {
        let path = "\(documents.root)/\(RegistryLayout.imageIndex)"
        guard try FileSystem.status(path) != nil else { return }
        let limits = JSONValue.Limits(bytes: FormatLimits.imageIndex, depth: 16, values: 10_000_000)
        let bytes = try FileSystem.document(path, limit: FormatLimits.imageIndex)
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        for item in try object.objects("manifests", maximum: 1_000_000) {
            try cancellation.check()
            try addManifest(
                try BlobDigest(parsing: try item.string("digest")),
                isRequired: false
            )
        }
    }

    /// Adds what the manifests of other artifacts refer to: `oci/<repository>/_manifests/`.
    mutating func addArtifacts(_ cancellation: Cancellation) throws {
        let folder = "\(documents.root)/oci"
        for path in try FileSystem.entries(below: folder) where path.contains("/_manifests/") {
            try cancellation.check()
            guard !FileSystem.name(of: path).hasPrefix(".") else { continue }
            try addLinks(
                of: try FileSystem.document(
                    "\(folder)/\(path)",
                    limit: FormatLimits.artifactManifest
                )
            )
        }
    }

    /// Adds every digest that a document mentions, whatever it says about them.
    mutating func addDigests(in value: JSONValue) {
        switch value {
        case .string(let text):
            if let digest = try? BlobDigest(parsing: text) { _ = insert(digest) }
        case .array(let values): for value in values { addDigests(in: value) }
        case .object(let members): for value in members.values { addDigests(in: value) }
        default: break
        }
    }

    private mutating func insert(_ digest: BlobDigest) -> Bool {
        if let digest = digest.contentDigest { return digests.insert(digest).inserted }
        return others.insert(digest).inserted
    }

    private mutating func addManifest(_ digest: BlobDigest, isRequired: Bool) throws(ZooError) {
        guard insert(digest) else { return }
        let path = "\(documents.root)/\(digest.path)"
        guard try FileSystem.status(path) != nil else {
            // An index may list manifests that its registry does not have.
            guard isRequired else { return }
            throw ZooError(
                .blobMissing,
                "the manifest '\(path)' is missing, so nobody knows which blobs its release has",
                remedy: "run 'ami-zoo registry check \(documents.root)', and restore or delete "
                    + "the release"
            )
        }
        if let digest = digest.contentDigest {
            try addLinks(
                of: try documents.blobs.read(digest, limit: FormatLimits.artifactManifest)
            )
        } else {
            try addLinks(of: try FileSystem.document(path, limit: FormatLimits.artifactManifest))
        }
    }

    private mutating func addLinks(of bytes: [UInt8]) throws(ZooError) {
        let manifest = try ArtifactManifest(parsing: bytes)
        for blob in manifest.blobs { _ = insert(blob.digest) }
        for link in manifest.manifests { try addManifest(link.digest, isRequired: false) }
    }
}
