// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// What the store remembers of an installation outside the folder that it installed.
///
/// A folder can vouch for itself only in part: whoever changes its files can change the manifest
/// beside them. The full digest that the store wrote elsewhere is what `verify` holds the folder against;
/// the twelve digits in the folder's name prove nothing.
package struct StoreReceipt: Sendable, Equatable {
    private static let format = "ami-zoo.receipt/1"

    /// The digest of the manifest that was installed.
    package let digest: ContentDigest
    /// The components that were fetched; nil when all were.
    package let components: Set<String>?
    /// The registry that they came from.
    package let registry: String

    /// What to remember of an installation.
    package init(digest: ContentDigest, components: Set<String>?, registry: String) {
        self.digest = digest
        self.components = components
        self.registry = registry
    }

    /// What a folder says of itself.
    package init(of release: InstalledRelease) {
        self.init(
            digest: release.digest,
            components: release.components,
            registry: release.registry
        )
    }

    /// Reads a receipt; nil when there is none.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    init?(path: String) throws(ZooError) {
        guard try FileSystem.status(path) != nil else { return nil }
        let object = try JSONObject(
            try JSONValue(parsing: try FileSystem.document(path, limit: 1 << 20))
        )
        try object.requireFormat(Self.format)
        digest = try object.digest("digest")
        registry = try object.string("registry", maximum: 4096)
        components =
            object.value("components") == nil
            ? nil : Set(try object.strings("components", maximum: 256))
    }

    func write(to path: String) throws(ZooError) {
        var document: [String: JSONValue] = [
            "format": .string(Self.format), "digest": .string(digest.description),
            "registry": .string(registry),
        ]
        if let components {
            document["components"] = .array(components.sorted().map(JSONValue.string))
        }
        try FileSystem.createFolder(FileSystem.parent(of: path))
        try FileSystem.writeAtomically(path, JSONValue.object(document).canonicalBytes)
    }
}
