// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The receipt of an installed release, stored outside the model folder.
///
/// Whoever modifies the files of a folder can also modify its manifest, so `verify` compares the
/// manifest with the full digest in the receipt. The twelve digits in the folder name are not
/// sufficient.
package struct StoreReceipt: Sendable, Equatable {
    private static let format = "ami-zoo.receipt/1"

    /// The digest of the manifest that was installed.
    package let digest: ContentDigest
    /// The fetched components; nil for the whole release.
    package let components: Set<String>?
    /// The address of the registry.
    package let registry: String

    /// Creates a receipt.
    package init(digest: ContentDigest, components: Set<String>?, registry: String) {
        self.digest = digest
        self.components = components
        self.registry = registry
    }

    /// Creates a receipt from the documents of a model folder.
    package init(of release: InstalledRelease) {
        self.init(
            digest: release.digest,
            components: release.components,
            registry: release.registry
        )
    }

    /// Reads a receipt; nil when the file does not exist.
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
