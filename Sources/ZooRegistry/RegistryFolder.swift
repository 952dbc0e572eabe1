// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A registry folder, or an OCI image layout, that is open for reading and writing.
///
/// The index documents say what is published. `catalogue.json` and `index.json` are derived from them.
/// All members block; call them where blocking is allowed (``BlockingWork``).
package struct RegistryFolder: Sendable {
    /// What a folder is.
    package enum Kind: Sendable {
        /// A registry: it has `zoo.json` and index documents.
        case registry
        /// An OCI image layout, whose `index.json` is its only document.
        case imageLayout
    }

    /// The path of the folder.
    package let root: String
    /// What the folder is.
    package let kind: Kind
    /// The documents.
    package let documents: RegistryDocuments
    /// The metadata database.
    package let metadata: RegistryMetadata
    /// The locks of writers.
    let locks: RegistryLocks
    /// The keys with which changes are signed; nil without any, when a signed registry refuses them.
    package var signer: RegistrySigner?

    /// Creates a registry.
    ///
    /// - Parameters:
    ///   - root: an empty folder, a path that does not exist, or an OCI image layout, whose releases
    ///     ``rebuild(_:)`` publishes.
    ///   - description: the content of `zoo.json`.
    /// - Throws: ``ZooError`` with code `registry.exists`, or `io.*`.
    package static func create(_ root: String, _ description: RegistryDescription) throws(ZooError)
    {
        let marker = "\(root)/\(RegistryLayout.imageLayout)"
        if try FileSystem.status("\(root)/\(RegistryLayout.description)") != nil {
            throw ZooError(
                .registryExists,
                "'\(root)' is already a registry",
                remedy: "use it as it is, or choose an empty folder"
            )
        } else if try FileSystem.names(in: root).isEmpty {
            try createLayout(root)
        } else if try FileSystem.status(marker) == nil {
            throw ZooError(
                .registryExists,
                "'\(root)' is neither empty nor an OCI image layout",
                remedy: "choose an empty folder for the registry"
            )
        }
        try FileSystem.createFolder("\(root)/index")
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.catalogue)",
            RegistryCatalogue(segments: []).canonicalBytes
        )
        // Last: a folder with this file is a registry.
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.description)",
            description.canonicalBytes
        )
    }

    /// Writes the files of an OCI image layout.
    private static func createLayout(_ root: String) throws(ZooError) {
        try FileSystem.createFolder("\(root)/\(RegistryLayout.blobs)")
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.imageIndex)",
            ImageIndex(entries: []).canonicalBytes
        )
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.imageLayout)",
            Array(RegistryLayout.imageLayoutContent.utf8)
        )
    }

    /// Opens a registry or OCI image layout; a new or empty folder becomes an image layout.
    ///
    /// - Parameter root: the folder.
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.locks-unavailable`, or
    ///   `io.*`.
    package init(openingOrCreating root: String) throws(ZooError) {
        if try FileSystem.names(in: root).isEmpty { try Self.createLayout(root) }
        try self.init(opening: root)
    }

    /// Opens a registry or OCI image layout.
    ///
    /// - Parameter root: the folder.
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.locks-unavailable`, or
    ///   `io.*`.
    package init(opening root: String) throws(ZooError) {
        if try FileSystem.status("\(root)/\(RegistryLayout.description)") != nil {
            kind = .registry
        } else if try FileSystem.status("\(root)/\(RegistryLayout.imageLayout)") != nil {
            kind = .imageLayout
        } else {
            throw ZooError(
                .notARegistry,
                "'\(root)' is not a registry",
                remedy: "choose a registry; 'ami-zoo registry init' creates one in a new or empty "
                    + "folder"
            )
        }
        self.root = root
        documents = RegistryDocuments(root: root)
        metadata = RegistryMetadata(root: root)
        locks = try RegistryLocks(root: root)
    }

    /// The blobs.
    package var blobs: BlobFolder { documents.blobs }
}
