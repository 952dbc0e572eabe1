// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The OCI manifest of a release; its digest identifies the release.
///
/// `registry/SPEC.md` section 3. Source: opencontainers/image-spec, `manifest.md`, version 1.1.
public struct ReleaseManifest: Sendable, Equatable {
    /// An archive with its block table.
    public struct Archive: Sendable, Equatable {
        /// The name of the archive in the record.
        public let name: String
        /// The descriptor of the archive.
        public let archive: Descriptor
        /// The descriptor of the block table.
        public let blocks: Descriptor

        /// Creates an archive entry.
        public init(name: String, archive: Descriptor, blocks: Descriptor) {
            self.name = name
            self.archive = archive
            self.blocks = blocks
        }
    }

    /// Media types and annotation keys of the format.
    public enum MediaType {
        /// The manifest.
        public static let manifest = "application/vnd.oci.image.manifest.v1+json"
        /// The release record of a model.
        public static let record = ArtifactKind.model.recordType
        /// A block table.
        public static let blocks = "application/vnd.ami.zoo.blocks.v1+json"
        /// An archive.
        public static func archive(_ encoding: ArchiveEncoding) -> String {
            switch encoding {
            case .stored: "application/vnd.ami.zoo.archive.v1.tar"
            case .zstd: "application/vnd.ami.zoo.archive.v1.tar+zstd"
            }
        }
        /// The annotation that names the archive a layer belongs to.
        public static let archiveName = "org.ami-zoo.archive"
        /// The annotation that makes a layer required, with the text `true`.
        public static let required = "org.ami-zoo.required"
        /// The annotation with the file name that other tools use when they unpack a layer.
        public static let title = "org.opencontainers.image.title"
    }

    /// The kind of artifact.
    public let kind: ArtifactKind
    /// The record of the model or data set.
    public let record: Descriptor
    /// The archives in layer order.
    public let archives: [Archive]
    /// Optional layers that this program does not know.
    public let skipped: [Descriptor]

    /// Creates a manifest for existing blobs.
    public init(kind: ArtifactKind = .model, record: Descriptor, archives: [Archive]) {
        self.kind = kind
        self.record = record
        self.archives = archives
        skipped = []
    }

    /// Parses a stored manifest.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` code or `release.manifest-invalid`;
    ///   `format.feature-required` for a required layer that this program does not know.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.manifest, depth: 8, values: 16_384)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        guard try object.integer("schemaVersion", in: 0...99) == 2,
            try object.string("mediaType") == MediaType.manifest,
            let kind = ArtifactKind(artifactType: try object.string("artifactType"))
        else {
            throw Self.invalid(
                "it is not an OCI manifest of type '\(ArtifactKind.model.artifactType)'"
            )
        }
        self.kind = kind
        record = try Descriptor(try object.object("config"))
        guard record.mediaType == kind.recordType, record.size <= FormatLimits.record else {
            throw Self.invalid("the config is not a release record")
        }
        var layers: [(descriptor: Descriptor, path: String)] = []
        var skipped: [Descriptor] = []
        for layer in try object.objects("layers", maximum: FormatLimits.layers) {
            let descriptor = try Descriptor(layer)
            if Self.knownTypes.contains(descriptor.mediaType) {
                layers.append((descriptor, layer.path))
            } else if descriptor.annotations[MediaType.required] == "true" {
                throw ZooError(
                    .featureRequired,
                    "\(layer.path) is a required layer of type '\(descriptor.mediaType)', which "
                        + "this program does not know",
                    remedy: "update ami-zoo"
                )
            } else {
                skipped.append(descriptor)
            }
        }
        self.skipped = skipped
        archives = try Self.archives(layers)
        guard archives.count <= FormatLimits.archives else {
            throw Self.invalid(
                "it has \(archives.count) archives; the limit is \(FormatLimits.archives)"
            )
        }
    }

    private static let knownTypes =
        Set(ArchiveEncoding.allCases.map(MediaType.archive) + [MediaType.blocks])

    private static func archives(
        _ layers: [(descriptor: Descriptor, path: String)]
    ) throws(ZooError) -> [Archive] {
        var tables: [String: Descriptor] = [:]
        var found: [(name: String, archive: Descriptor)] = []
        for (descriptor, path) in layers {
            guard let name = descriptor.annotations[MediaType.archiveName] else {
                throw invalid("\(path) has no annotation '\(MediaType.archiveName)'")
            }
            guard ModelName.isWord(name) else {
                throw invalid("\(path) names its archive '\(name)', which is not a word")
            }
            if descriptor.mediaType == MediaType.blocks {
                guard tables.updateValue(descriptor, forKey: name) == nil else {
                    throw invalid("archive '\(name)' has two block tables")
                }
            } else {
                found.append((name, descriptor))
            }
        }
        guard Set(found.map(\.name)).count == found.count, found.count == tables.count else {
            throw invalid("it needs exactly one block table per archive")
        }
        var archives: [Archive] = []
        for (name, archive) in found {
            guard let table = tables[name], table.size <= FormatLimits.blockTable else {
                throw invalid("archive '\(name)' has no block table, or one that is too large")
            }
            archives.append(Archive(name: name, archive: archive, blocks: table))
        }
        return archives
    }

    static func invalid(_ what: String) -> ZooError {
        ZooError(
            .manifestInvalid,
            "the manifest is not a valid release manifest: \(what)",
            remedy: "do not use this release; tell its publisher"
        )
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        let layers = archives.flatMap { [$0.archive.json, $0.blocks.json] }
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(MediaType.manifest),
            "artifactType": .string(kind.artifactType),
            "config": record.json,
            "layers": .array(layers),
        ]
        return document.canonicalBytes
    }

    /// The bytes transferred by fetching the whole release: record, block tables and archives.
    public var transferSize: Int {
        archives.reduce(record.size) { $0 + $1.archive.size + $1.blocks.size }
    }

    /// Every blob that a reader needs, without ``skipped``.
    public var blobs: [Descriptor] { [record] + archives.flatMap { [$0.archive, $0.blocks] } }
}

extension ReleaseManifest {
    /// The descriptor of the manifest, as the subject of an attachment.
    public var descriptor: Descriptor {
        let bytes = canonicalBytes
        return Descriptor(
            mediaType: MediaType.manifest,
            digest: ContentDigest(of: bytes),
            size: bytes.count
        )
    }
}
