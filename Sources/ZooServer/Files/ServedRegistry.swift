// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooTrust

/// A registry folder that is open for serving, and for writing where that is possible.
struct ServedRegistry: Sendable {
    /// What changes a registry folder.
    struct Writer: Sendable {
        /// The folder.
        let registry: RegistryFolder
        /// Where the own keys of a signed registry lie; nil for others, and where the server has none.
        let trust: TrustState?
        /// The uploads that are not complete.
        let uploads: UploadFolder
    }

    /// The files.
    let folder: ServedFolder
    /// What each repository has.
    let contents: RepositoryContents
    /// What changes the folder; nil when it is served read-only.
    let writer: Writer?
    /// The path of the folder.
    let root: String
    /// The prefix under which the registry is mounted; nil at the root of the server.
    let prefix: MountPrefix?

    /// Opens a registry folder; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - root: the folder.
    ///   - writing: whether to open it for writing.
    ///   - prefix: the prefix under which it is mounted; nil at the root of the server.
    ///   - state: the folder with the own keys of a signed registry; nil for none.
    /// - Throws: ``ZooError`` with code `server.root-invalid`, `registry.locks-unavailable`, or `io.*`.
    init(
        root: String,
        _ writing: ServerOptions.Writing,
        prefix: MountPrefix? = nil,
        state: String? = nil
    ) throws(ZooError) {
        folder = try ServedFolder(path: root)
        contents = RepositoryContents(root: root)
        self.root = root
        self.prefix = prefix
        writer = writing == .never ? nil : try Self.writer(root, writing, state)
    }

    private static func writer(
        _ root: String,
        _ writing: ServerOptions.Writing,
        _ state: String?
    ) throws(ZooError) -> Writer? {
        do throws(ZooError) {
            var registry = try RegistryFolder(opening: root)
            var trust: TrustState?
            if let state, try registry.isSigned() {
                let found = try TrustState(state, of: root)
                // Without its keys, the registry is served, and changes of it are refused.
                if try FileSystem.status(found.keys) != nil {
                    let online = try OnlineKeys(in: found.keys)
                    registry.signer = RegistrySigner(keys: [], online: online)
                    trust = found
                }
            }
            return Writer(
                registry: registry,
                trust: trust,
                uploads: try UploadFolder(root: root)
            )
        } catch
            where writing == .ifPossible
            && (error.code == .notWritable || error.code == .locksUnavailable)
        {
            return nil
        }
    }

    /// The name of a repository as clients write it: with the prefix of a mounted registry.
    func address(of repository: RepositoryName) -> String {
        prefix.map { "\($0)/\(repository)" } ?? repository.description
    }

    /// The repository of this registry that clients call by a name; nil for one of another registry.
    func repository(at address: String) -> RepositoryName? {
        guard let prefix else { return try? RepositoryName(parsing: address) }
        guard address.hasPrefix("\(prefix)/") else { return nil }
        return try? RepositoryName(parsing: String(address.dropFirst(prefix.text.count + 1)))
    }

    /// Returns an error without the path of the folder, which is nobody's business outside.
    func redacted(_ error: ZooError) -> ZooError {
        func hidden(_ text: String) -> String {
            text.replacing("\(root)/", with: "").replacing(root, with: "the registry")
        }
        return ZooError(error.code, hidden(error.message), remedy: error.remedy.map(hidden))
    }
}
