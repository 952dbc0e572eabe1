// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The document `zoo.json`, format `ami-zoo.registry/1`, `registry/SPEC.md` section 7.
public struct RegistryDescription: Sendable, Equatable {
    /// The name of the document format.
    public static let format = "ami-zoo.registry/1"

    /// The first root metadata of a registry with TUF metadata.
    public struct Trust: Sendable, Equatable {
        /// The version of the root metadata, 1 or more.
        public let version: Int
        /// The digest of the root metadata.
        public let digest: ContentDigest

        /// Creates a reference to root metadata.
        public init(version: Int, digest: ContentDigest) {
            precondition(version > 0, "root metadata has no version \(version)")
            self.version = version
            self.digest = digest
        }

        /// The path of the root metadata in the registry folder.
        public var path: String { "tuf/\(version).root.json" }
    }

    /// The transparency log of a registry.
    public struct Log: Sendable, Equatable {
        /// The name of the log, the first line of its checkpoints.
        public let origin: String
        /// The public key of its checkpoints: a verifier key of a signed note (C2SP signed-note).
        public let key: String

        /// Creates a reference to a log.
        public init(origin: String, key: String) {
            self.origin = origin
            self.key = key
        }
    }

    /// The display name of the registry.
    public let name: String
    /// The base URLs of mirrors, which hold the same blobs.
    public let mirrors: [String]
    /// The first root metadata; nil without TUF metadata.
    public let trust: Trust?
    /// The transparency log; nil for none.
    public let log: Log?
    /// Members that this program does not know.
    public let unknownMembers: [String: JSONValue]

    /// Creates a description.
    public init(
        name: String,
        mirrors: [String] = [],
        trust: Trust? = nil,
        log: Log? = nil,
        unknownMembers: [String: JSONValue] = [:]
    ) {
        self.name = name
        self.mirrors = mirrors
        self.trust = trust
        self.log = log
        self.unknownMembers = unknownMembers
    }

    /// Parses `zoo.json`.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(
            bytes: FormatLimits.registryDescription,
            depth: 8,
            values: 4096
        )
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        try object.requireFormat(Self.format)
        name = try object.string("name")
        mirrors = try object.strings("mirrors", maximum: 64, each: 2048)
        if let found = try object.optionalObject("trust") {
            trust = try Trust(found)
        } else {
            trust = nil
        }
        if let found = try object.optionalObject("log") {
            log = Log(origin: try found.string("origin"), key: try found.string("key"))
        } else {
            log = nil
        }
        unknownMembers = object.members(besides: ["format", "name", "mirrors", "trust", "log"])
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        var members: [String: JSONValue] = [
            "format": .string(Self.format), "name": .string(name),
            "mirrors": .array(mirrors.map(JSONValue.string)),
        ]
        if let trust {
            members["trust"] = [
                "root": .string(trust.path), "digest": .string(trust.digest.description),
            ]
        }
        if let log { members["log"] = ["origin": .string(log.origin), "key": .string(log.key)] }
        return JSONValue.object(members.merging(unknownMembers) { own, _ in own }).canonicalBytes
    }

    /// Whether something names index documents by their digest, so that each is kept under it
    /// (``IndexRevision``).
    public var namesIndexDocumentsByDigest: Bool { trust != nil || log != nil }
}

extension RegistryDescription.Trust {
    fileprivate init(_ object: JSONObject) throws(ZooError) {
        let path = try object.string("root")
        guard path.hasPrefix("tuf/"), path.hasSuffix(".root.json"),
            let version = Int(path.dropFirst("tuf/".count).dropLast(".root.json".count)),
            version > 0
        else { throw object.invalid("root", "is '\(path)', and must be such as 'tuf/1.root.json'") }
        self.init(version: version, digest: try object.digest("digest"))
        // Refuses 'tuf/01.root.json', which would be another file.
        guard self.path == path else {
            throw object.invalid("root", "is '\(path)', and must be '\(self.path)'")
        }
    }
}
