// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The local store: installed releases, transfers in progress and cached index documents.
///
/// ```
/// store.json                                          the format version; newer ones are rejected
/// models/<namespace>/<name>/<version>-<digest>/       one folder per release (digest: 12 digits)
/// models/<namespace>/<name>/<version>-<digest>+a+b/   if only components a and b were fetched
/// receipts/<namespace>/<name>/<version>-….json        one receipt per installed release
/// receipts/<namespace>/<name>/<version>-….trust/      what proved that it was current when it was pulled
/// trust/<digest>/                                     the signed metadata of a registry whose root is trusted
/// staging/<digest>-<destination>/                     transfers in progress
/// registries/<digest>/index/<namespace>/<name>.json   cached index documents with entity tags
/// registries/<digest>/search.sqlite                   the catalogue of a registry, for searches
/// blocks.sqlite                                       the blocks of installed releases, by digest
/// evaluation/<key>/                                   stored results of evaluations, one folder per stage
/// evidence/<digest>/                                  reports and statements of validations
/// ```
/// Folders are created only on write, so a read-only store works.
package struct ModelStore: Sendable {
    /// The root folder.
    package let root: String

    private static let format = "ami-zoo.store/2"
    /// Without receipts, and with staging areas under other names.
    private static let firstFormat = "ami-zoo.store/1"

    /// Opens a store at `root`, which need not exist.
    package init(root: String) { self.root = root }

    /// Creates the root folder, or checks the format version of an existing store.
    ///
    /// A store of version 1 becomes one of version 2: installed releases stay, interrupted transfers are
    /// removed because nothing continues them.
    ///
    /// - Throws: ``ZooError`` with code `store.too-new`, or `io.*`.
    package func prepare() throws(ZooError) {
        let marker = "\(root)/store.json"
        if try FileSystem.status(marker) != nil {
            let found = try JSONObject(
                try JSONValue(parsing: try FileSystem.document(marker, limit: 4096))
            ).string("format")
            if found == Self.format { return }
            guard found == Self.firstFormat else {
                throw ZooError(
                    .storeTooNew,
                    "the store '\(root)' has the format '\(found)', which this version of ami-zoo "
                        + "does not know",
                    remedy: "update ami-zoo, or set AMI_ZOO_HOME to another folder"
                )
            }
            // Areas of version 1 are named '<digest>-<destination>'.
            for name in try FileSystem.names(in: "\(root)/staging") where name.contains("-") {
                try FileSystem.remove("\(root)/staging/\(name)")
            }
        } else {
            try FileSystem.createFolder(root)
        }
        let document: JSONValue = ["format": .string(Self.format)]
        try FileSystem.writeAtomically(marker, document.canonicalBytes)
    }

    var models: String { "\(root)/models" }

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

    /// Opens the staging area of a release; nil while another process uses it.
    package func staging(
        for digest: ContentDigest,
        destination: String
    ) throws(ZooError) -> StagingArea? {
        if owns(destination) { _ = try PrivateFolder("\(root)/staging") }
        return try StagingArea.open(stagingFolder(digest, destination), destination: destination)
    }

    /// Removes the staging area that a process left when it was stopped after installing a release.
    ///
    /// Does nothing while another process uses the area.
    package func removeStaging(
        for digest: ContentDigest,
        destination: String
    ) throws(ZooError) {
        let folder = stagingFolder(digest, destination)
        var isLeft = false
        for path in [folder, "\(folder).lock"] where try FileSystem.status(path) != nil {
            isLeft = true
        }
        if isLeft { try staging(for: digest, destination: destination)?.discard() }
    }

    /// One folder per destination: files staged for one folder are never renamed to another.
    private func stagingFolder(_ digest: ContentDigest, _ destination: String) -> String {
        if let path = relative(destination) {
            // One area for every path that leads to the folder.
            let key = ContentDigest(
                of: "\(digest) \(FileSystem.realPath(models))/\(path)".utf8
            )
            return "\(root)/staging/\(key.hex)"
        }
        let destination = FileSystem.realPath(destination)
        let key = ContentDigest(of: "\(digest) \(FileSystem.name(of: destination))".utf8)
        return "\(FileSystem.parent(of: destination))/.ami-zoo-staging-\(key.hex.prefix(32))"
    }

    /// Whether a folder is in this store, and not at a path chosen by the user.
    package func owns(_ folder: String) -> Bool { relative(folder) != nil }

    /// The path of a folder relative to `models`, such as `ami/ball-drop`; nil outside this store.
    ///
    /// Symbolic links are followed: a folder of the store is one by whatever path it is reached.
    package func relative(_ folder: String) -> String? {
        let paths = [
            (models, folder), (FileSystem.realPath(models), FileSystem.realPath(folder)),
        ]
        for (models, folder) in paths where folder.beginsExactly(with: models + "/") {
            return String(decoding: folder.utf8.dropFirst(models.utf8.count + 1), as: UTF8.self)
        }
        return nil
    }

    // MARK: Receipts

    /// The path of the receipt of a release; nil when the folder is outside this store.
    package func receiptPath(of folder: String) -> String? {
        relative(folder).map { "\(root)/receipts/\($0).json" }
    }

    /// Writes the receipt of a release in this store.
    ///
    /// The receipt is written before the folder becomes visible: a receipt without a folder is
    /// harmless, but a folder without a receipt can be verified only against its own manifest.
    package func remember(_ receipt: StoreReceipt, of folder: String) throws(ZooError) {
        guard let path = receiptPath(of: folder) else {
            preconditionFailure("'\(folder)' is outside the store")
        }
        try receipt.write(to: path)
    }

    /// Reads the receipt of a release.
    ///
    /// - Returns: nil when the folder is outside this store, or when its receipt is missing, as it is
    ///   for a folder that a version of ami-zoo without receipts installed.
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code when the receipt cannot be
    ///   read.
    package func receipt(of folder: String) throws(ZooError) -> StoreReceipt? {
        guard let path = receiptPath(of: folder) else { return nil }
        return try StoreReceipt(path: path)
    }

    /// The folder with what proved that a release was current when it was pulled; nil when the release is outside
    /// this store.
    package func trustPath(of folder: String) -> String? {
        relative(folder).map { "\(root)/receipts/\($0).trust" }
    }

    /// Removes the receipt of a release that is gone.
    func forget(_ folder: String) throws(ZooError) {
        guard let path = receiptPath(of: folder), let trust = trustPath(of: folder) else { return }
        try FileSystem.remove(path)
        try FileSystem.remove(trust)
    }

    // MARK: Installed releases

    /// The folders of a reference, by their names alone, with the version of each.
    func folders(
        of reference: ModelReference
    ) throws(ZooError) -> [(path: String, version: SemanticVersion)] {
        let parent = "\(models)/\(reference.name)"
        return try FileSystem.names(in: parent).compactMap(StoredName.init).filter { name in
            if let digest = reference.digest, digest.short != name.digest { return false }
            guard case .version(let version) = reference.selector else { return true }
            return version == name.version
        }.map { ("\(parent)/\($0.text)", $0.version) }
    }

    /// The installed releases of one model or of all models, ordered by name and version.
    ///
    /// Folders that are not releases are skipped.
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

    func names() throws(ZooError) -> [ModelName] {
        var names: [ModelName] = []
        for namespace in try FileSystem.names(in: models) {
            for name in try FileSystem.names(in: "\(models)/\(namespace)") {
                if let name = try? ModelName(parsing: "\(namespace)/\(name)") { names.append(name) }
            }
        }
        return names
    }

    /// The portion of a release that must be installed.
    package enum Portion: Sendable {
        /// The whole release or any components.
        case any
        /// The whole release.
        case whole
        /// At least these components.
        case components(Set<String>)
    }

    /// Resolves a reference to a folder; the first of ``folders(of:holding:)``.
    ///
    /// - Throws: as ``folders(of:holding:)``.
    package func folder(
        of reference: ModelReference,
        holding portion: Portion = .any
    ) throws(ZooError) -> String {
        try folders(of: reference, holding: portion)[0]
    }

    /// Resolves a reference to the folders of one release, without reading them.
    ///
    /// The version and the first twelve digits of the digest must match when the reference has them,
    /// and the receipt must state the registry of its host. Among the matches, the newest version is
    /// selected; without a version or digest, a pre-release only if nothing else is installed.
    ///
    /// - Returns: the whole release before its parts; never empty.
    /// - Throws: ``ZooError`` with code `store.not-installed`; `store.channel-not-recorded` for another
    ///   channel than `stable`.
    package func folders(
        of reference: ModelReference,
        holding portion: Portion = .any
    ) throws(ZooError) -> [String] {
        let parent = "\(models)/\(reference.name)"
        var candidates = try FileSystem.names(in: parent).compactMap(StoredName.init).filter {
            name in
            if let digest = reference.digest, digest.short != name.digest { return false }
            guard name.holds(portion) else { return false }
            guard case .version(let version) = reference.selector else { return true }
            return version == name.version
        }
        if let host = reference.host, !candidates.isEmpty {
            let address = ModelReference.registryAddress(ofHost: host)
            candidates = candidates.filter { name in
                (try? receipt(of: "\(parent)/\(name.text)"))?.registry == address
            }
            guard !candidates.isEmpty else { throw notFetched(reference, from: address) }
        }
        if case .channel(let channel) = reference.selector, reference.digest == nil {
            if channel != .stable, !candidates.isEmpty {
                throw notRecorded(channel, reference, Set(candidates.map(\.version)))
            }
            let finished = candidates.filter { !$0.version.isPrerelease }
            if !finished.isEmpty { candidates = finished }
        }
        guard let newest = candidates.map(\.version).max() else {
            throw ZooError(
                .notInstalled,
                "'\(reference)' is not installed",
                remedy: remedy(forMissing: reference)
            )
        }
        let ofNewest = candidates.filter { $0.version == newest }
        let best = ofNewest.first(where: \.isWhole) ?? ofNewest[0]
        return ofNewest.filter { $0.digest == best.digest }
            .sorted { $0.isWhole && !$1.isWhole }.map { "\(parent)/\($0.text)" }
    }

    private func notFetched(_ reference: ModelReference, from address: String) -> ZooError {
        let local = ModelReference(
            name: reference.name,
            selector: reference.selector,
            digest: reference.digest
        )
        return ZooError(
            .notInstalled,
            "'\(local)' is installed, but not from \(address)",
            remedy:
                "to use what is installed, write '\(local)'; 'ami-zoo verify \(local) --registry "
                + "\(address)' compares it with that registry"
        )
    }

    private func notRecorded(
        _ channel: ChannelName,
        _ reference: ModelReference,
        _ versions: Set<SemanticVersion>
    ) -> ZooError {
        let names = versions.sorted().map { "'\(reference.name):\($0)'" }
        return ZooError(
            .channelNotRecorded,
            "only a registry knows which version the channel '\(channel)' of '\(reference.name)' selects",
            remedy: "name an installed version: \(names.joined(separator: ", "))"
        )
    }

    /// What the path of a folder in the store states about its release.
    package struct Identity: Sendable {
        /// The name of the model.
        package let name: ModelName
        /// The version.
        package let version: SemanticVersion
        /// The first twelve hexadecimal digits of the digest.
        package let shortDigest: String
        /// The fetched components; nil for the whole release.
        package let components: Set<String>?
    }

    /// The release that the path of a folder states; nil outside the store.
    package func identity(of folder: String) -> Identity? {
        let parts = relative(folder)?.utf8.split(separator: UInt8(ascii: "/"))
            .map { String(decoding: $0, as: UTF8.self) }
        guard let parts, parts.count == 3, let stored = StoredName(parts[2]),
            let name = try? ModelName(parsing: "\(parts[0])/\(parts[1])")
        else { return nil }
        return Identity(
            name: name,
            version: stored.version,
            shortDigest: stored.digest,
            components: stored.components
        )
    }

    /// Opens the installed release of a reference; see ``folder(of:holding:)``.
    ///
    /// - Throws: ``ZooError`` with code `store.not-installed`; `store.not-a-release`,
    ///   `store.receipt-mismatch` or a code of the documents when the folder was modified.
    package func installed(
        _ reference: ModelReference,
        holding portion: Portion = .any
    ) throws(ZooError) -> InstalledRelease {
        let release = try InstalledRelease(folder: try folder(of: reference, holding: portion))
        try release.requireIdentity(of: reference)
        guard let digest = reference.digest, digest != release.digest else { return release }
        throw ZooError(
            .receiptMismatch,
            "the manifest in '\(release.folder)' has digest \(release.digest), and the reference "
                + "requires \(digest)",
            remedy: "run 'ami-zoo repair \(reference)'"
        )
    }

    // MARK: Cached documents

    /// A cached document of a registry.
    package struct CachedDocument: Sendable {
        /// The bytes of the document.
        package let bytes: [UInt8]
        /// The entity tag; nil when the server sent none.
        package let entityTag: String?

        /// Creates a cached document.
        package init(bytes: [UInt8], entityTag: String?) {
            self.bytes = bytes
            self.entityTag = entityTag
        }
    }

    private func cachePath(_ registry: String, _ path: String) -> String {
        "\(root)/registries/\(ContentDigest(of: registry.utf8).hex)/\(path)"
    }

    /// The path of the search database of a registry, in a folder that exists.
    package func searchDatabase(of registry: String) throws(ZooError) -> String {
        try prepare()
        let path = cachePath(registry, "search.sqlite")
        try FileSystem.createFolder(FileSystem.parent(of: path))
        return path
    }

    /// Reads a cached document; nil when it is missing or unreadable.
    package func cachedDocument(of registry: String, at path: String) -> CachedDocument? {
        // An unreadable cache entry counts as missing; the document is fetched again.
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

    /// Caches a document.
    ///
    /// The entity tag and the bytes are stored in one file, so that they always match.
    package func remember(
        _ document: CachedDocument,
        of registry: String,
        at path: String
    ) throws(ZooError) {
        try prepare()
        let target = cachePath(registry, path)
        try FileSystem.createFolder(FileSystem.parent(of: target))
        let tag = document.entityTag.map { Array($0.utf8) } ?? []
        try FileSystem.writeAtomically(target, tag + [0x0A] + document.bytes)
    }
}

/// The folder name of a release: `<version>-<digest>`, and `+<component>` for each fetched component
/// of a partial release.
struct StoredName {
    let text: String
    let version: SemanticVersion
    /// Twelve hexadecimal digits.
    let digest: String
    /// The fetched components; nil for the whole release.
    let components: Set<String>?

    var isWhole: Bool { components == nil }

    func holds(_ portion: ModelStore.Portion) -> Bool {
        switch portion {
        case .any: true
        case .whole: isWhole
        case .components(let wanted): components.map(wanted.isSubset) ?? true
        }
    }

    init?(_ text: String) {
        let whole = text.prefix { $0 != "+" }
        guard let dash = whole.lastIndex(of: "-"),
            let version = try? SemanticVersion(parsing: String(whole[..<dash]))
        else { return nil }
        self.text = text
        self.version = version
        digest = String(whole[whole.index(after: dash)...])
        let names = text[whole.endIndex...].split(separator: "+").map(String.init)
        components = names.isEmpty ? nil : Set(names)
    }
}
