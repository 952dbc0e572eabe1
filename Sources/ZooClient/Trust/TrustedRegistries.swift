// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore
internal import ZooTrust

/// The registries whose root metadata this machine trusts: a folder each in the store.
///
/// A registry in this list is read through its signed metadata only, whatever its `zoo.json` says. All members
/// block.
package struct TrustedRegistries: Sendable {
    /// A registry in the list.
    package struct Entry: Sendable {
        /// The address, in the form by which registries are compared.
        package let address: String
        /// The digest of the root metadata that the user trusted first.
        package let fingerprint: ContentDigest
        /// When that was.
        package let added: Timestamp
        /// The folder with the metadata.
        let folder: String

        /// The metadata that was verified last.
        var metadata: MetadataFolder { MetadataFolder(folder) }
    }

    private static let format = "ami-zoo.trusted-registry/1"
    private static let document = "registry.json"

    private let path: String

    /// The list in a store.
    package init(in store: ModelStore) { path = "\(store.root)/trust" }

    /// The form by which addresses are compared: without default ports, hosts in lower case, folders without
    /// symbolic links.
    ///
    /// Otherwise `https://HOST` would be another registry than `https://host`, which nobody trusts yet.
    package static func canonical(_ location: RegistryLocation) -> String {
        switch location {
        case .folder(let path): return "file:\(FileSystem.realPath(path))"
        case .web(let base):
            let scheme = base.hasPrefix("https://") ? "https://" : "http://"
            let rest = base.dropFirst(scheme.count)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            var host = rest[..<end].lowercased()
            let port = scheme == "https://" ? ":443" : ":80"
            if host.hasSuffix(port) { host.removeLast(port.count) }
            return scheme + host + rest[end...]
        }
    }

    /// The registry at a location; nil when its root is not trusted.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code for a damaged entry, which must not be
    ///   taken for none.
    package func entry(for location: RegistryLocation) throws(ZooError) -> Entry? {
        let folder = folder(of: Self.canonical(location))
        guard try FileSystem.status(folder) != nil else { return nil }
        return try entry(in: folder)
    }

    /// Every entry, by address.
    ///
    /// - Throws: as ``entry(for:)``.
    package func entries() throws(ZooError) -> [Entry] {
        var entries: [Entry] = []
        for name in try FileSystem.names(in: path) where !name.hasPrefix(".") {
            entries.append(try entry(in: "\(path)/\(name)"))
        }
        return entries.sorted { $0.address < $1.address }
    }

    /// Trusts root metadata of a registry.
    ///
    /// - Parameters:
    ///   - root: the document, signed by a threshold of its own keys.
    ///   - location: the registry.
    ///   - now: the time in seconds since 1970.
    /// - Returns: the entry.
    /// - Throws: ``ZooError`` with code `trust.already-trusted` when another root is trusted, as
    ///   ``TrustedRoot/init(anchor:now:)``, or `io.*`.
    @discardableResult
    package func add(
        _ root: [UInt8],
        of location: RegistryLocation,
        at now: Timestamp
    ) throws(ZooError) -> Entry {
        let address = Self.canonical(location)
        let fingerprint = ContentDigest(of: root)
        if let known = try entry(for: location) {
            guard known.fingerprint == fingerprint else {
                throw ZooError(
                    .trustKnown,
                    "the root \(known.fingerprint) of \(address) is already trusted, and this one is "
                        + "\(fingerprint)",
                    remedy:
                        "ask the registry's owner which is right; 'ami-zoo trust remove \(address)' "
                        + "forgets the old one"
                )
            }
            return known
        }
        _ = try TrustedRoot(anchor: root, now: now)
        // As a whole: a folder that is only half there would be a damaged entry.
        let draft = "\(path)/.\(FileSystem.uniqueName()).tmp"
        do throws(ZooError) {
            try FileSystem.createFolder(draft)
            try MetadataFolder(draft).initialize(anchor: root, now: now)
            let document: JSONValue = [
                "format": .string(Self.format), "address": .string(address),
                "fingerprint": .string(fingerprint.description), "added": .string(now.text),
            ]
            try FileSystem.writeAtomically("\(draft)/\(Self.document)", document.canonicalBytes)
            try FileSystem.rename(draft, to: folder(of: address))
            try FileSystem.synchronizeFolder(path)
        } catch {
            try? FileSystem.remove(draft)
            throw error
        }
        return try entry(in: folder(of: address))
    }

    /// Forgets a registry; false when it was not trusted.
    ///
    /// - Throws: ``ZooError`` with code `io.*`.
    package func remove(_ location: RegistryLocation) throws(ZooError) -> Bool {
        let folder = folder(of: Self.canonical(location))
        guard try FileSystem.status(folder) != nil else { return false }
        try FileSystem.remove(folder)
        return true
    }

    private func folder(of address: String) -> String {
        "\(path)/\(ContentDigest(of: address.utf8).hex)"
    }

    private func entry(in folder: String) throws(ZooError) -> Entry {
        let object = try JSONObject(
            try JSONValue(
                canonical: try FileSystem.document("\(folder)/\(Self.document)", limit: 1 << 16)
            )
        )
        try object.requireFormat(Self.format)
        let added = try object.string("added")
        guard let time = Timestamp(parsing: added) else {
            throw object.invalid("added", "is '\(added)', which is not a time")
        }
        return Entry(
            address: try object.string("address", maximum: 4096),
            fingerprint: try object.digest("fingerprint"),
            added: time,
            folder: folder
        )
    }
}
