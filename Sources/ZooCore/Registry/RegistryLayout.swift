// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The layout of a registry folder, on disk or behind a web server.
///
/// ```
/// zoo.json                        name and mirrors of the registry
/// index/<namespace>/<name>.json   one document per model
/// blobs/sha256/<hex>              manifests, records, archives, block tables: immutable
/// catalogue.json                  the head of the catalogue, which is derived from the rest
/// deleted/<namespace>/<name>.jsonl the versions of a model that were deleted
/// oci-layout, index.json          make the folder an OCI image layout; a derived view
/// ```
public enum RegistryLayout {
    /// The description of the registry.
    public static let description = "zoo.json"
    /// The marker of an OCI image layout.
    public static let imageLayout = "oci-layout"
    /// The content of ``imageLayout``.
    public static let imageLayoutContent = #"{"imageLayoutVersion":"1.0.0"}"#
    /// The list of all manifests, kept for OCI tools while it is small (``imageIndexLimit``).
    public static let imageIndex = "index.json"
    /// The number of releases beyond which publishing removes ``imageIndex``.
    ///
    /// Rewriting the list costs time in proportion to it, and the index documents are the authority.
    public static let imageIndexLimit = 1000
    /// The head of the catalogue.
    public static let catalogue = "catalogue.json"
    /// The folder of blobs.
    public static let blobs = "blobs/sha256"

    /// The path of a blob.
    public static func blob(_ digest: ContentDigest) -> String { "\(blobs)/\(digest.hex)" }

    /// The path of the log of a model's deleted versions.
    public static func deletions(_ name: ModelName) -> String {
        "deleted/\(name.namespace)/\(name.name).jsonl"
    }

    /// The path of a model's index document.
    public static func index(_ name: ModelName) -> String {
        "index/\(name.namespace)/\(name.name).json"
    }
}

/// The document `zoo.json`, format `ami-zoo.registry/1`, `registry/SPEC.md` section 7.
public struct RegistryDescription: Sendable, Equatable {
    /// The name of the document format.
    public static let format = "ami-zoo.registry/1"

    /// The display name of the registry.
    public let name: String
    /// The base URLs of mirrors, which hold the same blobs.
    public let mirrors: [String]

    /// Creates a description.
    public init(name: String, mirrors: [String] = []) {
        self.name = name
        self.mirrors = mirrors
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
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        let document: JSONValue = [
            "format": .string(Self.format), "name": .string(name),
            "mirrors": .array(mirrors.map(JSONValue.string)),
        ]
        return document.canonicalBytes
    }
}
