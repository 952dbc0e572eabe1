// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a registry has to know of any OCI manifest or index: its type, and what it refers to.
///
/// Unlike ``ReleaseManifest`` it need not be canonical, and it may use any registered digest. Source:
/// opencontainers/image-spec, `manifest.md` and `image-index.md`, version 1.1.
public struct ArtifactManifest: Sendable, Equatable {
    /// A reference to a blob or to another manifest.
    public struct Link: Sendable, Equatable {
        /// The media type.
        public let mediaType: String
        /// The digest.
        public let digest: BlobDigest
        /// The size in bytes.
        public let size: Int
        /// Whether the content lies elsewhere, and a registry need not have it.
        public let isElsewhere: Bool
    }

    /// The media type of an image manifest.
    public static let manifestType = ReleaseManifest.MediaType.manifest
    /// The media type of an index of manifests.
    public static let indexType = "application/vnd.oci.image.index.v1+json"

    /// The media type; nil when the document does not state it.
    public let mediaType: String?
    /// The artifact type; for a manifest without one, the media type of its config.
    public let artifactType: String?
    /// The manifest that this one is attached to.
    public let subject: Link?
    /// The config and the layers of a manifest.
    public let blobs: [Link]
    /// The manifests that an index lists.
    public let manifests: [Link]
    /// The annotations.
    public let annotations: [String: String]
    /// Whether it is an index of manifests.
    public let isIndex: Bool

    /// Parses a manifest or an index.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, or `digest.malformed`.
    public init(parsing bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(
            bytes: FormatLimits.artifactManifest,
            depth: 16,
            values: 200_000
        )
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        guard try object.integer("schemaVersion", in: 0...99) == 2 else {
            throw object.invalid("schemaVersion", "is not 2")
        }
        mediaType = try object.optionalString("mediaType")
        subject = try object.optionalObject("subject").map(Link.init)
        annotations = Self.annotations(of: try object.optionalObject("annotations"))
        var blobs: [Link] = []
        if let config = try object.optionalObject("config") { blobs.append(try Link(config)) }
        let configType = blobs.first?.mediaType
        if object.value("layers") != nil {
            for layer in try object.objects("layers", maximum: 10_000) {
                blobs.append(try Link(layer))
            }
        }
        self.blobs = blobs
        var manifests: [Link] = []
        if object.value("manifests") != nil {
            for item in try object.objects("manifests", maximum: 10_000) {
                manifests.append(try Link(item))
            }
        }
        self.manifests = manifests
        isIndex =
            mediaType == Self.indexType || (mediaType == nil && object.value("manifests") != nil)
        artifactType = try object.optionalString("artifactType") ?? configType
    }

    /// The annotations that are texts, of any length.
    private static func annotations(of object: JSONObject?) -> [String: String] {
        (object?.members ?? [:]).compactMapValues { value in
            if case .string(let text) = value { text } else { nil }
        }
    }

    /// The media type, which a document need not state.
    public var effectiveMediaType: String {
        mediaType ?? (isIndex ? Self.indexType : Self.manifestType)
    }
}

extension ArtifactManifest.Link {
    fileprivate init(_ object: JSONObject) throws(ZooError) {
        mediaType = try object.string("mediaType")
        digest = try BlobDigest(parsing: try object.string("digest"))
        size = try object.size("size")
        isElsewhere =
            object.value("urls") != nil || mediaType.contains(".nondistributable.")
    }
}
