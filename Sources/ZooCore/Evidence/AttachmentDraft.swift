// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An artifact that is attached to a release: a manifest with the release as its subject, and its blobs.
public struct AttachmentDraft: Sendable, Equatable {
    /// The artifact type of evidence that a release was validated and passed.
    public static let validation = "application/vnd.ami.zoo.validation.v1+json"
    /// The artifact type of a statement that a release was published without evidence.
    public static let waiver = "application/vnd.ami.zoo.unvalidated.v1+json"

    /// The artifact type, and the media type of the layer, of a signature: a Sigstore bundle.
    public static let signature = "application/vnd.dev.sigstore.bundle.v0.3+json"
    /// The type of the predicate of a signature over the files of a model (OpenSSF Model Signing 1.0).
    public static let modelSignature = "https://model_signing/signature/v1.0"
    /// The artifact type, and the media type of the layer, of provenance: an in-toto statement.
    public static let provenance = EvidenceStatement.mediaType
    /// The name of a signature beside the files of a model.
    public static let signatureName = "model.sig"
    /// The annotation with the type of the predicate of what a bundle signs, as Sigstore's tools write it.
    static let predicateAnnotation = "dev.sigstore.bundle.predicateType"

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
                Self.layer(evidence.report, ValidationReport.mediaType, "report.json"),
            ] + Self.signatureLayer(evidence.signature)
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

    /// Attaches a signature over the files of the release.
    ///
    /// - Parameters:
    ///   - bundle: the Sigstore bundle.
    ///   - created: when it was made.
    ///   - subject: the manifest of the release.
    public init(signature bundle: [UInt8], created: Timestamp, to subject: Descriptor) {
        self.init(
            Self.signature,
            to: subject,
            created: created,
            [Self.layer(bundle, Self.signature, Self.signatureName)],
            annotations: [
                "dev.sigstore.bundle.content": "dsse-envelope",
                Self.predicateAnnotation: Self.modelSignature,
            ]
        )
    }

    /// Attaches what a conversion states about the files of the release.
    ///
    /// - Parameters:
    ///   - provenance: the statement.
    ///   - created: when it was kept.
    ///   - subject: the manifest of the release.
    public init(_ provenance: ConversionProvenance, created: Timestamp, to subject: Descriptor) {
        self.init(
            Self.provenance,
            to: subject,
            created: created,
            [Self.layer(provenance.statement, ConversionProvenance.predicateType)]
        )
    }

    /// The layer with a signature over the statement in another layer; none if it is not signed.
    private static func signatureLayer(_ bundle: [UInt8]?) -> [(Descriptor, [UInt8])] {
        bundle.map { [layer($0, signature, "statement.sig")] } ?? []
    }

    private static func layer(
        _ bytes: [UInt8],
        _ mediaType: String,
        _ title: String
    ) -> (Descriptor, [UInt8]) {
        (
            Descriptor(
                mediaType: mediaType,
                digest: ContentDigest(of: bytes),
                size: bytes.count,
                annotations: [ReleaseManifest.MediaType.title: title]
            ), bytes
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
        _ layers: [(Descriptor, [UInt8])],
        annotations: [String: String] = [:]
    ) {
        let empty = Array("{}".utf8)
        let config = Descriptor(
            mediaType: "application/vnd.oci.empty.v1+json",
            digest: ContentDigest(of: empty),
            size: empty.count
        )
        var notes = annotations.mapValues(JSONValue.string)
        notes["org.opencontainers.image.created"] = .string(created.text)
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(ReleaseManifest.MediaType.manifest),
            "artifactType": .string(type),
            "config": config.json,
            "layers": .array(layers.map(\.0.json)),
            "subject": subject.json,
            "annotations": .object(notes),
        ]
        self.type = type
        manifest = document.canonicalBytes
        blobs = [(config, empty)] + layers
    }

    /// Whether the manifests, which name everything else by digest, are equal.
    public static func == (left: Self, right: Self) -> Bool { left.manifest == right.manifest }
}
