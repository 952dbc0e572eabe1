// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The OCI `index.json` at the top of a registry: every manifest with its name and version.
///
/// Other OCI tools read and write it; here it is the list of what a registry holds. What is not a
/// release (entries of other artifact types, annotations of the whole) is passed over when reading,
/// and written back as it was.
///
/// Source: opencontainers/image-spec, `image-layout.md` and `image-index.md`, version 1.1.
public struct ImageIndex: Sendable, Equatable {
    /// One release.
    public struct Entry: Sendable, Equatable, Comparable {
        /// The model.
        public let name: ModelName
        /// The version.
        public let version: SemanticVersion
        /// The digest of the manifest.
        public let digest: ContentDigest
        /// The size of the manifest in bytes.
        public let size: Int
        /// What is released.
        public let kind: ArtifactKind

        /// A release.
        public init(
            name: ModelName,
            version: SemanticVersion,
            digest: ContentDigest,
            size: Int,
            kind: ArtifactKind = .model
        ) {
            self.kind = kind
            self.name = name
            self.version = version
            self.digest = digest
            self.size = size
        }

        /// Orders by name, then version.
        public static func < (left: Self, right: Self) -> Bool {
            (left.name, left.version) < (right.name, right.version)
        }
    }

    private static let mediaType = "application/vnd.oci.image.index.v1+json"
    private static let referenceName = "org.opencontainers.image.ref.name"

    /// The releases, in order.
    public let entries: [Entry]
    /// Entries of other tools, as they came.
    private let foreign: [JSONValue]
    /// Members of the document besides those that every index has.
    private let others: [String: JSONValue]

    /// An index of releases.
    public init(entries: [Entry]) { self.init(entries: entries, foreign: [], others: [:]) }

    private init(entries: [Entry], foreign: [JSONValue], others: [String: JSONValue]) {
        self.entries = entries.sorted()
        self.foreign = foreign
        self.others = others
    }

    /// This index with one more release.
    public func adding(_ entry: Entry) -> ImageIndex {
        ImageIndex(entries: entries + [entry], foreign: foreign, others: others)
    }

    /// Reads `index.json`; it may come from another OCI tool, so it need not be canonical.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    public init(parsing bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.imageIndex, depth: 16, values: 10_000_000)
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        var entries: [Entry] = []
        var foreign: [JSONValue] = []
        for item in try object.objects("manifests", maximum: 1_000_000) {
            // Only then a descriptor: a foreign entry may have a digest of another algorithm.
            guard case .string(let type)? = item.value("artifactType"),
                let kind = ArtifactKind(artifactType: type)
            else {
                foreign.append(.object(item.members))
                continue
            }
            let descriptor = try Descriptor(item)
            guard let text = descriptor.annotations[Self.referenceName] else {
                foreign.append(.object(item.members))
                continue
            }
            guard let reference = try? ModelReference(parsing: text),
                reference.host == nil, reference.digest == nil,
                case .version(let version) = reference.selector
            else {
                throw item.invalid(
                    "annotations",
                    "name '\(text)', which is not 'namespace/name:version'"
                )
            }
            entries.append(
                Entry(
                    name: reference.name,
                    version: version,
                    digest: descriptor.digest,
                    size: descriptor.size,
                    kind: kind
                )
            )
        }
        self.init(
            entries: entries,
            foreign: foreign,
            others: object.members(besides: ["schemaVersion", "mediaType", "manifests"])
        )
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        let manifests = entries.map { entry -> JSONValue in
            [
                "mediaType": .string(ReleaseManifest.MediaType.manifest),
                "artifactType": .string(entry.kind.artifactType),
                "digest": .string(entry.digest.description),
                "size": .integer(entry.size),
                "annotations": [Self.referenceName: .string("\(entry.name):\(entry.version)")],
            ]
        }
        let members: [String: JSONValue] = [
            "schemaVersion": 2, "mediaType": .string(Self.mediaType),
            "manifests": .array(manifests + foreign),
        ]
        return JSONValue.object(members.merging(others) { own, _ in own }).canonicalBytes
    }
}
