// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The folder with the metadata of one repository that this machine has trusted.
///
/// Files have the names of their roles without versions. Each is replaced atomically.
package struct MetadataFolder: Sendable {
    /// The path of the folder.
    package let path: String

    /// Takes an existing folder.
    package init(_ path: String) { self.path = path }

    /// Trusts root metadata on the user's word; replaces nothing.
    ///
    /// - Throws: ``ZooError`` with code `io.exists` if the folder has root metadata already, what
    ///   ``TrustedRoot/init(anchor:now:)`` throws, or `io.*`.
    package func initialize(anchor: [UInt8], now: Timestamp) throws(ZooError) {
        _ = try TrustedRoot(anchor: anchor, now: now)
        let file = file(of: .root)
        guard try FileSystem.status(file) == nil else {
            throw ZooError(.fileExists, "'\(file)' exists: this registry's root is already trusted")
        }
        try FileSystem.createFolder(path)
        try store(anchor, of: .root)
    }

    /// The version, the expiry and the bytes of the root that this machine trusts now.
    ///
    /// - Throws: ``ZooError`` with code `trust.no-root` or `trust.signatures-missing`, what
    ///   ``SignedDocument/init(parsing:)`` throws, or `io.*`.
    package func trustedRoot() throws(ZooError) -> Verified<RootMetadata> {
        try SignedDocument<RootMetadata>(parsing: try root()).verifiedByItself()
    }

    /// The root metadata.
    ///
    /// - Throws: ``ZooError`` with code `trust.no-root` if there is none, or `io.*`.
    func root() throws(ZooError) -> [UInt8] {
        guard let bytes = try document(of: .root) else {
            throw ZooError(
                .trustNoRoot,
                "there is no trusted root metadata in '\(path)'",
                remedy: "get the registry's root metadata from a source that you trust"
            )
        }
        return bytes
    }

    /// The stored metadata of a role; nil if there is none.
    func document(of role: RoleName) throws(ZooError) -> [UInt8]? {
        do {
            return try FileSystem.document(file(of: role), limit: MetadataLimits.largestDocument)
        } catch {
            guard error.code == .fileMissing else { throw error }
            return nil
        }
    }

    /// Stores the metadata of a role.
    func store(_ bytes: [UInt8], of role: RoleName) throws(ZooError) {
        try FileSystem.writeAtomically(file(of: role), bytes)
    }

    /// Removes the metadata of a role, if there is any.
    func remove(_ role: RoleName) throws(ZooError) {
        try FileSystem.remove(file(of: role))
    }

    private func file(of role: RoleName) -> String { "\(path)/\(role.fileName())" }
}
