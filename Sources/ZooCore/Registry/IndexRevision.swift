// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// One state of the index document of a model, kept under the digest of its bytes:
/// `index/<namespace>/<hex>.<name>.json`.
///
/// TUF calls such names consistent snapshots. The name never fits a model: `<hex>.<name>` is longer than
/// the 64 bytes that the name of a model may have.
public struct IndexRevision: Hashable, Sendable {
    /// The model or data set.
    public let name: ModelName
    /// The digest of the document.
    public let digest: ContentDigest

    /// Creates the revision of a document.
    public init(of name: ModelName, _ digest: ContentDigest) {
        self.name = name
        self.digest = digest
    }

    /// Reads a path relative to the registry folder; nil for any other path.
    public init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return nil }
        let stem = parts[2].dropLast(".json".count)
        guard let digest = try? ContentDigest(hex: String(stem.prefix(64))),
            let name = try? ModelName(parsing: "\(parts[1])/\(stem.dropFirst(65))")
        else { return nil }
        self.init(of: name, digest)
        guard self.path == path else { return nil }
    }

    /// The path relative to the registry folder.
    public var path: String { "index/\(name.namespace)/\(digest.hex).\(name.name).json" }
}
