// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// An installed release: the folder of a model or a data set, with the documents that verify it.
///
/// ```
/// config.json, model.safetensors, …   the files of the model
/// .ami-zoo/manifest.json              identifies the release by its digest
/// .ami-zoo/record.json                verified by the manifest
/// .ami-zoo/blocks/<archive>.json      verified by the manifest
/// .ami-zoo/install.json               the fetched components and the registry
/// .ami-zoo/attachments/<digest>       evidence and signatures, bound to the release by its digest
/// .ami-zoo/attachments/index.json     which of them the registry listed
/// ```
/// The folder can be copied to another machine and verified there without a network or a store.
package struct InstalledRelease: Sendable {
    /// The folder inside a release that holds the documents below.
    package static let receiptFolder = ".ami-zoo"
    /// The path of the manifest in a release.
    package static let manifestName = "\(receiptFolder)/manifest.json"
    /// The path of the document with the fetched components and the registry.
    package static let installName = "\(receiptFolder)/install.json"
    /// The path of the folder with what is attached to the release.
    package static let attachmentsFolder = "\(receiptFolder)/attachments"
    /// The name of the detached signature in a model folder.
    package static let signatureName = AttachmentDraft.signatureName

    /// The model folder.
    package let folder: String
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The manifest.
    package let manifest: ReleaseManifest
    /// The release record.
    package let record: any ArchivedRecord
    /// The fetched components; nil for the whole release.
    package let components: Set<String>?
    /// The address of the registry that the release was fetched from.
    package let registry: String

    /// Opens a folder and checks the record against the manifest.
    ///
    /// - Throws: ``ZooError`` with code `store.not-a-release`, `store.receipt-mismatch`, or a code
    ///   of the documents.
    package init(folder: String) throws(ZooError) {
        self.folder = folder
        let receipts = "\(folder)/\(Self.receiptFolder)"
        guard try FileSystem.status("\(folder)/\(Self.manifestName)") != nil else {
            throw ZooError(
                .notARelease,
                "'\(folder)' is not an installed release",
                remedy: "pass the path that 'ami-zoo pull' printed, or a reference"
            )
        }
        let manifestBytes = try FileSystem.document(
            "\(receipts)/manifest.json",
            limit: FormatLimits.manifest
        )
        digest = ContentDigest(of: manifestBytes)
        manifest = try ReleaseManifest(canonical: manifestBytes)
        let recordBytes = try FileSystem.document(
            "\(receipts)/record.json",
            limit: FormatLimits.record
        )
        guard ContentDigest(of: recordBytes) == manifest.record.digest else {
            throw Self.mismatch("\(receipts)/record.json")
        }
        record = try manifest.kind.record(canonical: recordBytes)
        let claim = try InstallClaim(folder: folder)
        registry = claim.registry
        components = claim.components
        // The components decide which files have to be here, so only those of the record count.
        if let components {
            guard !components.isEmpty, components.isSubset(of: record.components.map(\.name)) else {
                throw Self.mismatch("\(folder)/\(Self.installName)")
            }
        }
    }

    /// Checks that a folder of the store holds the release that a reference and its own name state.
    ///
    /// - Throws: ``ZooError`` with code `store.receipt-mismatch`.
    package func requireIdentity(of reference: ModelReference) throws(ZooError) {
        var isWanted =
            record.name == reference.name
            && FileSystem.name(of: folder).hasPrefix("\(record.version)-")
        if case .version(let version) = reference.selector {
            isWanted = isWanted && version == record.version
        }
        guard isWanted else {
            throw ZooError(
                .receiptMismatch,
                "'\(folder)' holds '\(record.name):\(record.version)', and '\(reference)' was "
                    + "expected there",
                remedy: "remove the folder and pull the release again"
            )
        }
    }

    private static func mismatch(_ path: String) -> ZooError {
        ZooError(
            .receiptMismatch,
            "'\(path)' does not match its digest in the manifest",
            remedy: "run 'ami-zoo repair', or remove the folder and pull the release again"
        )
    }

    /// The block table of one archive, checked against the manifest.
    ///
    /// - Throws: ``ZooError`` with code `store.receipt-mismatch`, or a code of the document.
    package func blockTable(of archive: ReleaseManifest.Archive) throws(ZooError) -> BlockTable {
        let path = "\(folder)/\(Self.receiptFolder)/blocks/\(archive.name).json"
        let bytes = try FileSystem.document(path, limit: FormatLimits.blockTable)
        guard ContentDigest(of: bytes) == archive.blocks.digest else { throw Self.mismatch(path) }
        return try BlockTable(canonical: bytes)
    }

    /// The full path of the manifest.
    package var manifestPath: String { "\(folder)/\(Self.manifestName)" }

    /// The paths of the release's documents in the folder.
    package var documentNames: [String] {
        Self.documentNames(archives: manifest.archives.map(\.name))
    }

    /// The paths of the documents of a release with the given archives.
    static func documentNames(archives: some Sequence<String>) -> [String] {
        let names = ["manifest.json", "record.json", "install.json"]
        return (names + archives.map { "blocks/\($0).json" }).map { "\(receiptFolder)/\($0)" }
    }

    /// The files of the fetched components.
    package var files: [ReleaseRecord.File] {
        components.map { record.files(of: $0) } ?? record.files
    }

    /// The name and version.
    package var reference: ModelReference {
        ModelReference(name: record.name, selector: .version(record.version))
    }
}

/// What a model folder states about its installation.
package struct InstallClaim: Sendable {
    /// The address of the registry that the release was fetched from.
    package let registry: String
    /// The fetched components; nil for the whole release.
    package let components: Set<String>?

    /// Reads the document of a folder.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package init(folder: String) throws(ZooError) {
        let path = "\(folder)/\(InstalledRelease.installName)"
        let install = try JSONObject(
            try JSONValue(
                canonical: try FileSystem.document(path, limit: 1 << 20),
                limits: JSONValue.Limits(bytes: 1 << 20, depth: 8, values: 4096)
            )
        )
        try install.requireFormat(InstallReceipt.format)
        registry = try install.string("registry", maximum: 4096)
        components =
            install.value("components") == nil
            ? nil : Set(try install.strings("components", maximum: 256))
    }

    /// The address in the document of a folder, whatever else is wrong with the document; nil if it states
    /// none.
    package static func registry(in folder: String) -> String? {
        guard
            let bytes = try? FileSystem.document(
                "\(folder)/\(InstalledRelease.installName)",
                limit: 1 << 20
            ),
            let value = try? JSONValue(parsing: bytes),
            let object = try? JSONObject(value, at: "")
        else { return nil }
        return try? object.string("registry", maximum: 4096)
    }
}

/// The documents that are written to a model folder when a release is installed.
package struct InstallReceipt: Sendable {
    static let format = "ami-zoo.install/1"

    /// The manifest's stored form.
    package let manifest: [UInt8]
    /// The record's stored form.
    package let record: [UInt8]
    /// The stored form of each archive's block table.
    package let blockTables: [String: [UInt8]]
    /// The fetched components; nil for the whole release.
    package let components: Set<String>?
    /// The address of the registry.
    package let registry: String
    /// What is attached to the release, newest first.
    package let attachments: [ReleaseAttachment]
    /// The newest attached signature over the files, which stands beside them; nil if there is none, or the release
    /// has a file of that name.
    private let signature: [UInt8]?

    /// Creates the documents of a release.
    package init(
        manifest: [UInt8],
        record: [UInt8],
        blockTables: [String: [UInt8]],
        components: Set<String>?,
        registry: String,
        attachments: [ReleaseAttachment] = [],
        signature: [UInt8]? = nil
    ) {
        self.manifest = manifest
        self.record = record
        self.blockTables = blockTables
        self.components = components
        self.registry = registry
        self.attachments = attachments
        self.signature = signature
    }

    /// The same documents without attachments.
    package var withoutAttachments: InstallReceipt {
        InstallReceipt(
            manifest: manifest,
            record: record,
            blockTables: blockTables,
            components: components,
            registry: registry
        )
    }

    /// The paths of the documents in a model folder.
    package var documentNames: [String] {
        InstalledRelease.documentNames(archives: blockTables.keys)
            + attachedFiles.map(\.name).sorted().map {
                "\(InstalledRelease.attachmentsFolder)/\($0)"
            } + (signature == nil ? [] : [InstalledRelease.signatureName])
    }

    /// The files of the folder of attachments, each name once, with their list as the last; empty without
    /// attachments.
    var attachedFiles: [(name: String, bytes: [UInt8])] {
        guard !attachments.isEmpty else { return [] }
        var names: Set<String> = []
        let files = attachments.flatMap(\.files).filter { names.insert($0.name).inserted }
        return files + [(AttachmentList.name, AttachmentList(attachments).canonicalBytes)]
    }

    /// Writes the attachments to a staged folder, each atomically, and the signature among them beside the files; blocks
    /// the calling thread.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    func writeAttachments(toStaged folder: String) throws(ZooError) {
        let files = attachedFiles
        guard !files.isEmpty else { return }
        try writeSignature(to: folder)
        let place = "\(folder)/\(InstalledRelease.attachmentsFolder)"
        try FileSystem.createFolder(place)
        for (name, bytes) in files { try Self.write(bytes, to: "\(place)/\(name)") }
    }

    /// Writes the newest attached signature beside the files of a folder that has none; blocks the calling thread.
    ///
    /// - Returns: the path in the folder, if it was written.
    /// - Throws: ``ZooError`` with an `io.*` code.
    @discardableResult
    package func writeSignature(to folder: String) throws(ZooError) -> [String] {
        let path = "\(folder)/\(InstalledRelease.signatureName)"
        // One that is there may be the user's own.
        guard let signature, try FileSystem.status(path) == nil else { return [] }
        try FileSystem.writeAtomically(path, signature)
        return [InstalledRelease.signatureName]
    }

    /// Writes a document unless it is there; whether it wrote it.
    @discardableResult
    static func write(_ bytes: [UInt8], to path: String) throws(ZooError) -> Bool {
        if let present = try? FileSystem.document(path, limit: bytes.count), present == bytes {
            return false
        }
        try FileSystem.writeAtomically(path, bytes)
        return true
    }

    /// Writes the documents besides attachments to a model folder, each atomically; blocks the calling thread.
    ///
    /// - Returns: the paths in the folder of the documents that were missing or different, sorted.
    /// - Throws: ``ZooError`` with an `io.*` code.
    @discardableResult
    package func write(to folder: String) throws(ZooError) -> [String] {
        let receipts = "\(folder)/\(InstalledRelease.receiptFolder)"
        try FileSystem.createFolder("\(receipts)/blocks")
        var install: [String: JSONValue] = [
            "format": .string(Self.format), "registry": .string(registry),
        ]
        if let components {
            install["components"] = .array(components.sorted().map(JSONValue.string))
        }
        var documents = [
            "manifest.json": manifest, "record.json": record,
            "install.json": JSONValue.object(install).canonicalBytes,
        ]
        for (archive, table) in blockTables { documents["blocks/\(archive).json"] = table }
        var written: [String] = []
        for (name, bytes) in documents where try Self.write(bytes, to: "\(receipts)/\(name)") {
            written.append("\(InstalledRelease.receiptFolder)/\(name)")
        }
        return written.sorted()
    }
}
