// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird
internal import ZooCore

/// A resource that a request can address: one of the paths of the registry layout.
///
/// The path of a request is never used as a file name. It is parsed into one of these cases, and the
/// file name is built from the case, so dot segments, escapes, empty components and NUL bytes cannot
/// reach the file system.
enum RegistryResource: Hashable, Sendable {
    /// `zoo.json`
    case description
    /// `oci-layout`
    case imageLayout
    /// `index.json`
    case imageIndex
    /// `catalogue.json`
    case catalogue
    /// `index/<namespace>/<name>.json`
    case index(ModelName)
    /// `index/<namespace>/<hex>.<name>.json`
    case revision(IndexRevision)
    /// `tuf/<name>.json`
    case metadata(String)
    /// `blobs/sha256/<hex>`
    case blob(ContentDigest)

    /// Finds the resource at the path of a request.
    ///
    /// Percent escapes are not decoded, because no path of a registry needs them.
    init?(_ target: RequestTarget) { self.init(path: String(target.path.dropFirst())) }

    private init?(path: String) {
        switch path {
        case RegistryLayout.description: self = .description
        case RegistryLayout.imageLayout: self = .imageLayout
        case RegistryLayout.imageIndex: self = .imageIndex
        case RegistryLayout.catalogue: self = .catalogue
        default:
            if let hex = path.dropping(prefix: RegistryLayout.blobs + "/") {
                // A path without a valid digest does not exist; the parse error is irrelevant.
                guard let digest = try? ContentDigest(hex: hex) else { return nil }
                self = .blob(digest)
            } else if let name = path.dropping(prefix: "tuf/") {
                guard Self.isMetadata(name) else { return nil }
                self = .metadata(name)
            } else if let revision = IndexRevision(path: path) {
                self = .revision(revision)
            } else if let name = path.dropping(prefix: "index/")?.dropping(suffix: ".json") {
                guard let name = try? ModelName(parsing: name) else { return nil }
                self = .index(name)
            } else {
                return nil
            }
        }
    }

    /// The path relative to the root of the registry.
    var path: String {
        switch self {
        case .description: RegistryLayout.description
        case .imageLayout: RegistryLayout.imageLayout
        case .imageIndex: RegistryLayout.imageIndex
        case .catalogue: RegistryLayout.catalogue
        case .index(let name): RegistryLayout.index(name)
        case .revision(let revision): revision.path
        case .metadata(let name): "tuf/\(name)"
        case .blob(let digest): RegistryLayout.blob(digest)
        }
    }

    /// The media type: JSON for documents; the type of a blob is stated only by its referrer.
    var contentType: String {
        if case .blob = self { "application/octet-stream" } else { "application/json" }
    }

    /// The `Cache-Control` value: what is named by its digest is immutable, documents must be
    /// revalidated.
    var cacheControl: String { digest == nil ? "no-cache" : Response.immutable }

    /// The digest in the name; nil for a document that can change.
    var digest: ContentDigest? {
        switch self {
        case .revision(let revision): revision.digest
        case .blob(let digest): digest
        case .description, .imageLayout, .imageIndex, .catalogue, .index, .metadata: nil
        }
    }

    /// Whether a name is that of a file of signed metadata: `timestamp.json`, or a version and a role.
    private static func isMetadata(_ name: String) -> Bool {
        guard name != "timestamp.json" else { return true }
        let version = name.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard version.first.map({ $0 != UInt8(ascii: "0") }) ?? false, name.utf8.count <= 255,
            let role = String(name.dropFirst(version.count)).dropping(prefix: ".")?
                .dropping(suffix: ".json")
        else { return false }
        // Namespaces of models, and the roles of the top level.
        return (try? ModelName(parsing: "\(role)/name")) != nil
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }

    fileprivate func dropping(suffix: String) -> String? {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil
    }
}
