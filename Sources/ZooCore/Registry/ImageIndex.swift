// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The OCI `index.json` at the top of a registry: every manifest with its name and version.
///
/// It lists the content of a registry, and other OCI tools can read and write it. Entries of other
/// artifact types and unknown members are preserved.
///
/// Source: opencontainers/image-spec, `image-layout.md` and `image-index.md`, version 1.1.
public struct ImageIndex: Sendable, Equatable {
    /// One release.
    public struct Entry: Sendable, Equatable, Comparable {
        /// The name of the model or data set.
        public let name: ModelName
        /// The version.
        public let version: SemanticVersion
        /// The digest of the manifest.
        public let digest: ContentDigest
        /// The size of the manifest in bytes.
        public let size: Int
        /// The kind of the artifact.
        public let kind: ArtifactKind

        /// Creates an entry.
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

    /// The releases, ordered by name and version.
    public let entries: [Entry]
    /// Entries of other tools, unmodified.
    private let foreign: [JSONValue]
    /// Members of the document that this program does not use, unmodified.
    private let others: [String: JSONValue]

    /// Creates an index of releases.
    public init(entries: [Entry]) { self.init(entries: entries, foreign: [], others: [:]) }

    private init(entries: [Entry], foreign: [JSONValue], others: [String: JSONValue]) {
        self.entries = entries.sorted()
        self.foreign = foreign
        self.others = others
    }

    /// Returns this index with one more release.
    public func adding(_ entry: Entry) -> ImageIndex {
        ImageIndex(entries: entries + [entry], foreign: foreign, others: others)
    }

    /// Returns this index without some of the releases.
    public func removing(where isRemoved: (Entry) throws(ZooError) -> Bool) throws(ZooError)
        -> ImageIndex
    {
        var kept: [Entry] = []
        for entry in entries where try !isRemoved(entry) { kept.append(entry) }
        return ImageIndex(entries: kept, foreign: foreign, others: others)
    }

    /// Parses `index.json`, which need not be canonical because another OCI tool may write it.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    public init(parsing bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.imageIndex, depth: 16, values: 10_000_000)
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        var entries: [Entry] = []
        var foreign: [JSONValue] = []
        for item in try object.objects("manifests", maximum: 1_000_000) {
            // Check the type before the descriptor: the digest of a foreign entry may not be SHA-256.
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
                    "have the name '\(text)', which is not 'namespace/name:version'"
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
