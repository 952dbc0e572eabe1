// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The documents of a registry folder, for reading; the folder may be read-only.
///
/// All members block; call them where blocking is allowed (``BlockingWork``).
package struct RegistryDocuments: Sendable {
    /// The path of the folder.
    package let root: String
    /// The blobs.
    package let blobs: BlobFolder

    /// Creates a reader of a registry folder.
    package init(root: String) {
        self.root = root
        blobs = BlobFolder(root: root)
    }

    /// Reads the description of the registry.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func description() throws(ZooError) -> RegistryDescription {
        try RegistryDescription(
            canonical: try FileSystem.document(
                "\(root)/\(RegistryLayout.description)",
                limit: FormatLimits.registryDescription
            )
        )
    }

    /// Reads the index document of a model; nil when the registry does not have the model.
    ///
    /// - Throws: ``ZooError`` with code `registry.index-invalid`, a code of the document, or `io.*`.
    package func index(of name: ModelName) throws(ZooError) -> IndexDocument? {
        guard let bytes = try indexBytes(of: name) else { return nil }
        let document = try IndexDocument(canonical: bytes)
        guard document.name == name else {
            throw ZooError(
                .indexInvalid,
                "'\(root)/\(RegistryLayout.index(name))' is the index document of '\(document.name)'",
                remedy: "remove it, then run 'ami-zoo registry index \(root)'"
            )
        }
        return document
    }

    /// Reads the stored form of the index document of a model; nil when the registry does not have the model.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func indexBytes(of name: ModelName) throws(ZooError) -> [UInt8]? {
        do throws(ZooError) {
            return try FileSystem.document(
                "\(root)/\(RegistryLayout.index(name))",
                limit: FormatLimits.indexDocument
            )
        } catch  where error.code == .fileMissing {
            return nil
        }
    }

    /// Lists every model and data set that has an index document, in ascending order.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func names() throws(ZooError) -> [ModelName] {
        var names: [ModelName] = []
        for path in try FileSystem.files(below: "\(root)/index") where path.hasSuffix(".json") {
            // Other files are reported by 'registry check'.
            if let name = try? ModelName(parsing: String(path.dropLast(".json".count))) {
                names.append(name)
            }
        }
        return names.sorted()
    }

    /// Reads `index.json`; nil when the folder does not have it.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func imageIndex() throws(ZooError) -> ImageIndex? {
        do throws(ZooError) {
            return try ImageIndex(
                parsing: try FileSystem.document(
                    "\(root)/\(RegistryLayout.imageIndex)",
                    limit: FormatLimits.imageIndex
                )
            )
        } catch  where error.code == .fileMissing {
            return nil
        }
    }

    /// Reads the manifest and the record of a release.
    ///
    /// - Parameter digest: the digest of the manifest.
    /// - Returns: the manifest and the record.
    /// - Throws: ``ZooError`` with code `store.blob-mismatch`, a code of the documents, or `io.*`.
    package func release(
        _ digest: ContentDigest
    ) throws(ZooError) -> (manifest: ReleaseManifest, record: any ArchivedRecord) {
        let manifest = try ReleaseManifest(
            canonical: try blobs.read(digest, limit: FormatLimits.manifest)
        )
        let record = try manifest.kind.record(
            canonical: try blobs.read(manifest.record.digest, limit: FormatLimits.record)
        )
        return (manifest, record)
    }

    /// Reads the head of the catalogue; nil when the folder does not have it.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func catalogue() throws(ZooError) -> RegistryCatalogue? {
        do throws(ZooError) {
            return try RegistryCatalogue(
                canonical: try FileSystem.document(
                    "\(root)/\(RegistryLayout.catalogue)",
                    limit: FormatLimits.catalogue
                )
            )
        } catch  where error.code == .fileMissing {
            return nil
        }
    }

    /// The entries of a segment of the catalogue.
    func entries(
        of segment: RegistryCatalogue.Segment
    ) throws(ZooError) -> [RegistryCatalogue.Entry] {
        try RegistryCatalogue.Entry.all(
            in: try blobs.read(segment.digest, limit: FormatLimits.segment)
        )
    }

    /// What the catalogue has to say about a model.
    func catalogueEntry(of name: ModelName) throws(ZooError) -> RegistryCatalogue.Entry {
        guard let index = try index(of: name), let current = index.current else {
            return RegistryCatalogue.Entry(name: name, summary: nil)
        }
        let record = try release(current.digest).record
        return RegistryCatalogue.Entry(
            name: name,
            summary: RegistryCatalogue.Summary(of: index, record)
        )
    }
}
