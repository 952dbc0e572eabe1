// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The limits of what is read and kept of the attachments of a release, `registry/SPEC.md` section 10.
public enum AttachmentLimits {
    /// The attachments of one release that an index document lists, and that are read and kept.
    public static let attachments = 256
    /// The blobs of one attachment, with its config.
    public static let blobs = 8
    /// The size of one blob, in bytes.
    public static let blob = 8 << 20
    /// The size of all attachments of a release together, in bytes.
    public static let total = 64 << 20
    /// The files of all attachments, with their list.
    public static let files = attachments * (1 + blobs) + 1
}

/// What may still be read of the attachments of a release.
///
/// What a list or a manifest states is charged before it is read, and nothing is given back: what fails was read too.
public struct AttachmentBudget: Sendable {
    private var rest = AttachmentLimits.total

    /// A whole budget.
    public init() {}

    /// Takes the manifest of a listed attachment.
    ///
    /// - Throws: ``ZooError`` with code `evidence.attachment-too-large`.
    public mutating func charge(_ attachment: IndexDocument.Attachment) throws(ZooError) {
        guard attachment.size <= FormatLimits.artifactManifest else {
            throw AttachmentManifest.tooLarge(
                "the manifest of the attachment \(attachment.digest) has \(attachment.size) bytes, and at "
                    + "most \(FormatLimits.artifactManifest) are read"
            )
        }
        try charge(attachment.size, attachment.digest)
    }

    /// Takes the blobs of an attachment, each once.
    ///
    /// - Returns: the sizes of the blobs.
    /// - Throws: ``ZooError`` with code `evidence.attachment-too-large`.
    public mutating func charge(
        blobsOf manifest: AttachmentManifest
    ) throws(ZooError) -> [ContentDigest: Int] {
        let sizes = Dictionary(manifest.blobs.map { ($0.digest, $0.size) }) { max($0, $1) }
        try charge(sizes.values.reduce(0, +), manifest.digest)
        return sizes
    }

    private mutating func charge(_ bytes: Int, _ digest: ContentDigest) throws(ZooError) {
        guard bytes <= rest else {
            throw AttachmentManifest.tooLarge(
                "with the attachment \(digest), those of the release have more than "
                    + "\(ByteCount(AttachmentLimits.total)) together"
            )
        }
        rest -= bytes
    }
}

/// The manifest of an attachment: its subject is the release, and what it names is within the limits.
public struct AttachmentManifest: Sendable, Equatable {
    /// The artifact type.
    public let type: String
    /// The digest of the manifest.
    public let digest: ContentDigest
    /// The stored form of the manifest.
    public let bytes: [UInt8]
    /// The config and the layers that have a SHA-256 digest and that do not lie elsewhere.
    public let blobs: [Descriptor]
    /// The type of the predicate that its bundle signs, as its annotation states; nil if it states nothing.
    public let predicateType: String?

    /// Checks a manifest.
    ///
    /// - Parameters:
    ///   - bytes: the manifest.
    ///   - release: the digest of the release's manifest.
    /// - Throws: ``ZooError`` with code `evidence.other-release` when it is attached to something else,
    ///   `evidence.attachment-too-large`, or a `json.*` or `format.*` code.
    public init(_ bytes: [UInt8], of release: ContentDigest) throws(ZooError) {
        try self.init(try ArtifactManifest(parsing: bytes), bytes, of: release)
    }

    /// Checks a manifest that was parsed from `bytes`.
    ///
    /// - Throws: as ``init(_:of:)``.
    public init(
        _ manifest: ArtifactManifest,
        _ bytes: [UInt8],
        of release: ContentDigest
    ) throws(ZooError) {
        digest = ContentDigest(of: bytes)
        guard manifest.subject?.digest == BlobDigest(release) else {
            throw ZooError(
                .evidenceOfAnother,
                "the attachment \(digest) is about "
                    + (manifest.subject.map { "\($0.digest)" } ?? "nothing")
                    + ", and the release is \(release)",
                remedy: "tell the owner of the registry that listed it"
            )
        }
        self.bytes = bytes
        type = manifest.artifactType ?? ""
        predicateType = manifest.annotations[AttachmentDraft.predicateAnnotation]
        blobs = manifest.blobs.compactMap { link in
            guard !link.isElsewhere, let digest = link.digest.contentDigest else { return nil }
            return Descriptor(mediaType: link.mediaType, digest: digest, size: link.size)
        }
        guard blobs.count <= AttachmentLimits.blobs else {
            throw Self.tooLarge(
                "the attachment \(digest) has \(blobs.count) blobs, and at most "
                    + "\(AttachmentLimits.blobs) are kept"
            )
        }
        if let large = blobs.first(where: { $0.size > AttachmentLimits.blob }) {
            throw Self.tooLarge(
                "the blob \(large.digest) of the attachment \(digest) has \(large.size) bytes, and at "
                    + "most \(AttachmentLimits.blob) are kept"
            )
        }
    }

    static func tooLarge(_ what: String) -> ZooError {
        ZooError(
            .attachmentTooLarge,
            what,
            remedy: "read it in the registry; the model does not need it"
        )
    }
}

/// An attachment of a release, with its blobs: every byte has the digest and the size that its manifest states,
/// and its subject is the release.
public struct ReleaseAttachment: Sendable, Equatable {
    /// The manifest.
    public let manifest: AttachmentManifest
    private let contents: [ContentDigest: [UInt8]]

    /// Checks the blobs of an attachment.
    ///
    /// - Parameters:
    ///   - manifest: the manifest.
    ///   - contents: the bytes of its blobs; others are left out.
    /// - Throws: ``ZooError`` with code `evidence.attachment-changed` when a blob is missing, or does not have
    ///   the digest and the size that the manifest states.
    public init(
        _ manifest: AttachmentManifest,
        _ contents: [ContentDigest: [UInt8]]
    ) throws(ZooError) {
        var kept: [ContentDigest: [UInt8]] = [:]
        for blob in manifest.blobs {
            guard let bytes = contents[blob.digest] else {
                throw Self.changed(
                    "the blob \(blob.digest) of the attachment \(manifest.digest) is missing"
                )
            }
            guard bytes.count == blob.size, ContentDigest(of: bytes) == blob.digest else {
                throw Self.changed(
                    "the blob \(blob.digest) of the attachment \(manifest.digest) has other bytes than "
                        + "its manifest states"
                )
            }
            kept[blob.digest] = bytes
        }
        self.manifest = manifest
        self.contents = kept
    }

    private static func changed(_ what: String) -> ZooError {
        ZooError(.attachmentChanged, what, remedy: "fetch it again with 'ami-zoo repair'")
    }

    /// The bundle with a signature over the files of the release; nil if it is something else.
    ///
    /// Nothing about it is checked.
    public var modelSignature: [UInt8]? {
        guard manifest.type == AttachmentDraft.signature,
            manifest.predicateType == AttachmentDraft.modelSignature
        else { return nil }
        return blob(AttachmentDraft.signature)
    }

    /// What a conversion states about files; nil if it is something else, or cannot be read.
    public var provenance: ConversionProvenance? {
        guard manifest.type == AttachmentDraft.provenance,
            let statement = blob(EvidenceStatement.mediaType)
        else { return nil }
        return try? ConversionProvenance(statement: statement)
    }

    /// The bytes of a layer or of the config; nil if there is none of the media type.
    public func blob(_ mediaType: String) -> [UInt8]? {
        manifest.blobs.last { $0.mediaType == mediaType }.flatMap { contents[$0.digest] }
    }

    /// Its files in an installed folder, each under the digits of its digest; the manifest is the last, because
    /// the others mean nothing without it.
    public var files: [(name: String, bytes: [UInt8])] {
        contents.sorted { $0.key.hex < $1.key.hex }.map { ($0.key.hex, $0.value) }
            + [(manifest.digest.hex, manifest.bytes)]
    }
}
