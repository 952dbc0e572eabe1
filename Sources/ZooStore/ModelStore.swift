// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The local store: installed releases, transfers in progress, and remembered index documents.
///
/// ```
/// store.json                                          format version; newer ones are refused
/// models/<namespace>/<name>/<version>-<digest>/       one folder per release (digest: 12 digits)
/// models/<namespace>/<name>/<version>-<digest>+a+b/   when only components a and b were fetched
/// staging/<digest>…/                                  transfers in progress
/// registries/<digest>/index/<namespace>/<name>.json   index documents with their entity tags
/// ```
/// The initialiser touches nothing; only writing creates folders, so a read-only store works.
package struct ModelStore: Sendable {
    /// The root folder.
    package let root: String

    private static let format = "ami-zoo.store/1"

    /// A store at `root`, which need not exist.
    package init(root: String) { self.root = root }

    /// Makes the root folder, or checks that this program understands what is there.
    ///
    /// - Throws: ``ZooError`` with code `store.too-new`, or `io.*`.
    package func prepare() throws(ZooError) {
        let marker = "\(root)/store.json"
        guard try FileSystem.status(marker) == nil else {
            let found = try JSONObject(
                try JSONValue(parsing: try FileSystem.document(marker, limit: 4096))
            )
            guard try found.string("format") == Self.format else {
                throw ZooError(
                    .storeTooNew,
                    "the store '\(root)' was written by another version of ami-zoo",
                    remedy: "update ami-zoo, or set AMI_ZOO_HOME to another folder"
                )
            }
            return
        }
        try FileSystem.createFolder(root)
        let document: JSONValue = ["format": .string(Self.format)]
        try FileSystem.replace(marker, with: document.canonicalBytes)
    }

    private var models: String { "\(root)/models" }

    /// The folder of a release.
    package func folder(
        name: ModelName,
        version: SemanticVersion,
        digest: ContentDigest,
        components: Set<String>?
    ) -> String {
        let part = components.map { $0.sorted().map { "+\($0)" }.joined() } ?? ""
        return "\(models)/\(name)/\(version)-\(digest.short)\(part)"
    }

    /// The staging area of a release; nil while another process is at work in it.
    package func staging(
        for digest: ContentDigest,
        destination: String
    ) throws(ZooError) -> StagingArea? {
        let folder =
            destination.hasPrefix(models + "/")
            ? "\(root)/staging/\(digest.hex)-\(ContentDigest(of: destination.utf8).short)"
            : "\(FileSystem.parent(of: destination))/.ami-zoo-staging-\(digest.short)"
        return try StagingArea.open(folder, destination: destination)
    }

    /// Every installed release of one model, or of all, in order; folders that are not releases
    /// are skipped.
    package func releases(of wanted: ModelName? = nil) throws(ZooError) -> [InstalledRelease] {
        var found: [InstalledRelease] = []
        let names = if let wanted { [wanted] } else { try names() }
        for name in names {
            for folder in try FileSystem.names(in: "\(models)/\(name)") {
                let path = "\(models)/\(name)/\(folder)"
                guard try FileSystem.status(path)?.kind == .folder else { continue }
                if let release = try? InstalledRelease(folder: path) { found.append(release) }
            }
        }
        return found.sorted {
            ($0.record.name, $0.record.version) < ($1.record.name, $1.record.version)
        }
    }

    private func names() throws(ZooError) -> [ModelName] {
        var names: [ModelName] = []
        for namespace in try FileSystem.names(in: models) {
            for name in try FileSystem.names(in: "\(models)/\(namespace)") {
                if let name = try? ModelName(parsing: "\(namespace)/\(name)") { names.append(name) }
            }
        }
        return names
    }

    /// The installed release that a reference means, from what is on this machine alone: the
    /// pinned digest, the version, or the newest version installed.
    ///
    /// - Throws: ``ZooError`` with code `store.not-installed`.
    package func installed(_ reference: ModelReference) throws(ZooError) -> InstalledRelease {
        let candidates = try releases(of: reference.name).filter { release in
            if let digest = reference.digest, digest != release.digest { return false }
            guard case .version(let version) = reference.selector else { return true }
            return version == release.record.version
        }
        let whole = candidates.last { $0.components == nil }
        guard let release = whole ?? candidates.last else {
            throw ZooError(
                .notInstalled,
                "'\(reference)' is not installed",
                remedy: remedy(forMissing: reference)
            )
        }
        return release
    }

    // MARK: Remembered documents

    /// A document of a registry as it was last fetched.
    package struct CachedDocument: Sendable {
        /// Its bytes.
        package let bytes: [UInt8]
        /// The entity tag that came with it.
        package let entityTag: String?

        /// A document that was just fetched.
        package init(bytes: [UInt8], entityTag: String?) {
            self.bytes = bytes
            self.entityTag = entityTag
        }
    }

    private func cachePath(_ registry: String, _ path: String) -> String {
        "\(root)/registries/\(ContentDigest(of: registry.utf8).hex)/\(path)"
    }

    /// A remembered document; nil when there is none that can be read.
    package func cachedDocument(of registry: String, at path: String) -> CachedDocument? {
        // A cache that cannot be read is an empty cache.
        guard
            let bytes = try? FileSystem.document(
                cachePath(registry, path),
                limit: FormatLimits.imageIndex + 4096
            ),
            let newline = bytes.firstIndex(of: 0x0A)
        else { return nil }
        let tag = String(decoding: bytes[..<newline], as: UTF8.self)
        return CachedDocument(
            bytes: Array(bytes[(newline + 1)...]),
            entityTag: tag.isEmpty ? nil : tag
        )
    }

    /// Remembers a document.
    ///
    /// The entity tag and the bytes are one file, so they never disagree.
    package func remember(
        _ document: CachedDocument,
        of registry: String,
        at path: String
    ) throws(ZooError) {
        try prepare()
        let target = cachePath(registry, path)
        try FileSystem.createFolder(FileSystem.parent(of: target))
        let tag = document.entityTag.map { Array($0.utf8) } ?? []
        try FileSystem.replace(target, with: tag + [0x0A] + document.bytes)
    }
}
