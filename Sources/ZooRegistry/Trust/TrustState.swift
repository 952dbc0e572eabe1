// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooTrust

/// What the operator of a signed registry keeps beside it and never serves: the keys of snapshot and timestamp, and
/// metadata that waits for signatures.
///
/// ```
/// trust/keys/      one PEM file for each key, mode 0600
/// trust/pending/   root.json, targets.json and <namespace>.json, until enough keys signed them
/// ```
package struct TrustState: Sendable {
    private let folder: String
    /// The folder of the online keys.
    package let keys: String
    /// The folder of metadata that waits for signatures.
    let pending: String

    /// Refers to the state of a registry.
    ///
    /// - Parameters:
    ///   - folder: the folder of `--state`.
    ///   - root: the registry folder.
    /// - Throws: ``ZooError`` with code `key.exposed` when it lies in the registry, which others read.
    package init(_ folder: String, of root: String) throws(ZooError) {
        let inside = FileSystem.realPath(root) + "/"
        guard !(FileSystem.realPath(folder) + "/").beginsExactly(with: inside) else {
            throw ZooError(
                .keyExposed,
                "'\(folder)' lies in the registry '\(root)', and would be served and copied with it",
                remedy: "give a folder outside the registry with --state"
            )
        }
        self.folder = folder
        keys = "\(folder)/trust/keys"
        pending = "\(folder)/trust/pending"
    }
}

extension TrustState {
    /// Makes the folder, in which also accounts of a server may lie, private.
    ///
    /// - Throws: ``ZooError`` with code `io.folder-not-private`, or `io.*`.
    func prepare() throws(ZooError) { _ = try PrivateFolder(folder) }
}

/// Metadata that waits for signatures.
struct PendingMetadata {
    var root: MetadataDraft<RootMetadata>?
    var targets: [RoleName: MetadataDraft<TargetsMetadata>] = [:]

    init() {}

    var isEmpty: Bool { root == nil && targets.isEmpty }

    /// Reads what waits.
    init(in state: TrustState) throws(ZooError) {
        for file in try FileSystem.names(in: state.pending) where file.hasSuffix(".json") {
            let bytes = try FileSystem.document("\(state.pending)/\(file)", limit: 16 << 20)
            switch file {
            case RoleName.root.fileName(): root = try MetadataDraft(parsing: bytes)
            case RoleName.targets.fileName(): targets[.targets] = try MetadataDraft(parsing: bytes)
            default:
                // Namespaces have no characters that a file name encodes.
                let role = try RoleName(delegated: String(file.dropLast(".json".count)))
                targets[role] = try MetadataDraft(parsing: bytes)
            }
        }
    }

    /// Replaces what waits.
    func write(to state: TrustState) throws(ZooError) {
        try Self.remove(from: state)
        let folder = try PrivateFolder(state.pending)
        func write(_ role: RoleName, _ bytes: [UInt8]) throws(ZooError) {
            try FileSystem.writePrivately("\(folder.path)/\(role.fileName())", bytes)
        }
        if let root { try write(.root, root.bytes) }
        for (role, draft) in targets { try write(role, draft.bytes) }
    }

    static func remove(from state: TrustState) throws(ZooError) {
        for file in try FileSystem.names(in: state.pending) where file.hasSuffix(".json") {
            try FileSystem.remove("\(state.pending)/\(file)")
        }
    }

    /// Whether every document is the next version in a state; nil for a registry that is not signed yet.
    func follows(_ state: RepositoryState?) -> Bool {
        let current = state?.root.version ?? 0
        return root.map { $0.content.header.version == current + 1 } != false
            && targets.allSatisfy { role, draft in
                let known = state?.snapshot.content.file(of: role)?.version ?? 0
                return draft.content.header.version == known + 1
            }
    }

    // MARK: Signatures

    /// Which keys must sign which document.
    struct Requirement {
        let role: RoleName
        let keys: RoleKeys
        let signatures: Int

        var isMet: Bool { signatures >= keys.threshold }
    }

    /// Signs every document with the keys that it needs.
    mutating func sign(with keys: [PrivateKey], after state: RepositoryState?) throws(ZooError) {
        for authority in rootKeys(after: state) { try root?.sign(with: keys, for: authority) }
        for (role, draft) in targets {
            var draft = draft
            // Also with the old keys of the role, so that clients with the old root still read it.
            if role == .targets, let old = state?.root.content.targets {
                try draft.sign(with: keys, for: old)
            }
            try draft.sign(with: keys, for: try self.keys(of: role, after: state))
            targets[role] = draft
        }
    }

    /// What every document needs and has.
    func requirements(after state: RepositoryState?) throws(ZooError) -> [Requirement] {
        var list: [Requirement] = []
        if let root {
            for keys in rootKeys(after: state) {
                list.append(
                    Requirement(role: .root, keys: keys, signatures: root.signatures(of: keys))
                )
            }
        }
        for (role, draft) in targets.sorted(by: { $0.key.description < $1.key.description }) {
            let keys = try keys(of: role, after: state)
            list.append(Requirement(role: role, keys: keys, signatures: draft.signatures(of: keys)))
        }
        return list
    }

    /// The change, verified; all requirements must be met.
    func change(after state: RepositoryState?) throws(ZooError) -> RepositoryChange {
        var change = RepositoryChange()
        if let root {
            for keys in rootKeys(after: state) {
                change.root = try root.verified(as: .root, by: keys)
            }
        }
        for (role, draft) in targets {
            change.targets.append(
                try draft.verified(as: role, by: try keys(of: role, after: state))
            )
        }
        return change
    }

    private func rootKeys(after state: RepositoryState?) -> [RoleKeys] {
        [state?.root.content.root, root?.content.root].compactMap(\.self)
    }

    private func keys(
        of role: RoleName,
        after state: RepositoryState?
    ) throws(ZooError) -> RoleKeys {
        if role == .targets, let root = root?.content ?? state?.root.content { return root.targets }
        let top = targets[.targets]?.content ?? state?.targets.content
        guard let keys = top?.delegations.keys(of: role) else {
            throw ZooError(
                .trustRole,
                "nothing is delegated to the role '\(role)'",
                remedy: "delegate its namespace with 'ami-zoo trust delegate'"
            )
        }
        return keys
    }
}
