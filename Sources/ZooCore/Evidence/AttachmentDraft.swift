// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An artifact that is attached to a release: a manifest with the release as its subject, and its blobs.
public struct AttachmentDraft: Sendable, Equatable {
    /// The artifact type of evidence that a release was validated and passed.
    public static let validation = "application/vnd.ami.zoo.validation.v1+json"
    /// The artifact type of a statement that a release was published without evidence.
    public static let waiver = "application/vnd.ami.zoo.unvalidated.v1+json"

    /// The artifact type.
    public let type: String
    /// The stored form of the manifest.
    public let manifest: [UInt8]
    /// The blobs that the manifest refers to.
    public let blobs: [(descriptor: Descriptor, bytes: [UInt8])]

    /// The entry in an index document.
    public var entry: IndexDocument.Attachment {
        IndexDocument.Attachment(
            type: type,
            digest: ContentDigest(of: manifest),
            size: manifest.count
        )
    }

    /// Attaches evidence.
    public init(_ evidence: ValidationEvidence, to subject: Descriptor) {
        self.init(
            Self.validation,
            to: subject,
            created: evidence.created,
            [
                Self.layer(evidence.statement, EvidenceStatement.testResult),
                (
                    Descriptor(
                        mediaType: ValidationReport.mediaType,
                        digest: ContentDigest(of: evidence.report),
                        size: evidence.report.count,
                        annotations: [ReleaseManifest.MediaType.title: "report.json"]
                    ),
                    evidence.report
                ),
            ]
        )
    }

    /// Attaches the reason of a missing validation.
    ///
    /// - Parameters:
    ///   - waiver: the reason.
    ///   - name: the name and version of the release.
    ///   - subject: its manifest.
    public init(_ waiver: ValidationWaiver, name: String, to subject: Descriptor) {
        self.init(
            Self.waiver,
            to: subject,
            created: waiver.date,
            [
                Self.layer(
                    waiver.statement(about: name, subject.digest),
                    ValidationWaiver.predicateType
                )
            ]
        )
    }

    private static func layer(_ statement: [UInt8], _ type: String) -> (Descriptor, [UInt8]) {
        (
            Descriptor(
                mediaType: EvidenceStatement.mediaType,
                digest: ContentDigest(of: statement),
                size: statement.count,
                annotations: [
                    EvidenceStatement.predicateAnnotation: type,
                    ReleaseManifest.MediaType.title: "statement.json",
                ]
            ), statement
        )
    }

    private init(
        _ type: String,
        to subject: Descriptor,
        created: Timestamp,
        _ layers: [(Descriptor, [UInt8])]
    ) {
        let empty = Array("{}".utf8)
        let config = Descriptor(
            mediaType: "application/vnd.oci.empty.v1+json",
            digest: ContentDigest(of: empty),
            size: empty.count
        )
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(ReleaseManifest.MediaType.manifest),
            "artifactType": .string(type),
            "config": config.json,
            "layers": .array(layers.map(\.0.json)),
            "subject": subject.json,
            "annotations": ["org.opencontainers.image.created": .string(created.text)],
        ]
        self.type = type
        manifest = document.canonicalBytes
        blobs = [(config, empty)] + layers
    }

    /// Whether the manifests, which name everything else by digest, are equal.
    public static func == (left: Self, right: Self) -> Bool { left.manifest == right.manifest }
}
