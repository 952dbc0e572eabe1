// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The OCI manifest of a release; its digest is the identity of the release.
///
/// `registry/SPEC.md` section 3. Source: opencontainers/image-spec, `manifest.md`, version 1.1.
public struct ReleaseManifest: Sendable, Equatable {
    /// An archive with its block table.
    public struct Archive: Sendable, Equatable {
        /// The name that the record uses for it.
        public let name: String
        /// The archive itself.
        public let archive: Descriptor
        /// Its block table.
        public let blocks: Descriptor

        /// An archive and its table.
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
        /// The kind of artifact a release is.
        public static let release = "application/vnd.ami.zoo.release.v1"
        /// The release record.
        public static let record = "application/vnd.ami.zoo.release.config.v1+json"
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
        /// The annotation that gives a layer a file name when other tools unpack it.
        public static let title = "org.opencontainers.image.title"
    }

    /// The release record.
    public let record: Descriptor
    /// The archives, in the order of their layers.
    public let archives: [Archive]

    /// A manifest for blobs that exist.
    public init(record: Descriptor, archives: [Archive]) {
        self.record = record
        self.archives = archives
    }

    /// Reads a stored manifest.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` code or `release.manifest-invalid`.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.manifest, depth: 8, values: 16_384)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        guard try object.integer("schemaVersion", in: 0...99) == 2,
            try object.string("mediaType") == MediaType.manifest,
            try object.string("artifactType") == MediaType.release
        else {
            throw Self.invalid("it is not an OCI manifest of type '\(MediaType.release)'")
        }
        record = try Descriptor(try object.object("config"))
        guard record.mediaType == MediaType.record, record.size <= FormatLimits.record else {
            throw Self.invalid("its config is not a release record")
        }
        archives = try Self.archives(
            try object.objects("layers", maximum: 2 * FormatLimits.archives)
        )
    }

    private static func archives(_ layers: [JSONObject]) throws(ZooError) -> [Archive] {
        var tables: [String: Descriptor] = [:]
        var found: [(name: String, archive: Descriptor)] = []
        for layer in layers {
            let descriptor = try Descriptor(layer)
            guard let name = descriptor.annotations[MediaType.archiveName] else {
                throw invalid("\(layer.path) has no annotation '\(MediaType.archiveName)'")
            }
            guard ModelName.isWord(name) else {
                throw invalid("\(layer.path) names its archive '\(name)', which is not a word")
            }
            if descriptor.mediaType == MediaType.blocks {
                guard tables.updateValue(descriptor, forKey: name) == nil else {
                    throw invalid("archive '\(name)' has two block tables")
                }
            } else if ArchiveEncoding.allCases.map(MediaType.archive).contains(descriptor.mediaType)
            {
                found.append((name, descriptor))
            } else {
                throw invalid("\(layer.path) has the unknown type '\(descriptor.mediaType)'")
            }
        }
        guard Set(found.map(\.name)).count == found.count, found.count == tables.count else {
            throw invalid("archives and block tables do not pair up")
        }
        var archives: [Archive] = []
        for (name, archive) in found {
            guard let table = tables[name], table.size <= FormatLimits.blockTable else {
                throw invalid("archive '\(name)' has no usable block table")
            }
            archives.append(Archive(name: name, archive: archive, blocks: table))
        }
        return archives
    }

    static func invalid(_ what: String) -> ZooError {
        ZooError(
            .manifestInvalid,
            "the manifest is not one of a release: \(what)",
            remedy: "do not use this release; tell its publisher"
        )
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        let layers = archives.flatMap { [$0.archive.json, $0.blocks.json] }
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(MediaType.manifest),
            "artifactType": .string(MediaType.release),
            "config": record.json,
            "layers": .array(layers),
        ]
        return document.canonicalBytes
    }

    /// Everything that fetching the whole release transfers, in bytes: record, tables, archives.
    public var transferSize: Int {
        archives.reduce(record.size) { $0 + $1.archive.size + $1.blocks.size }
    }

    /// Every blob the manifest names.
    public var blobs: [Descriptor] { [record] + archives.flatMap { [$0.archive, $0.blocks] } }
}
