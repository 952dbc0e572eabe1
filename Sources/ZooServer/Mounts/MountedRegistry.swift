// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// A registry that a server serves under a prefix, beside the one at its root.
package struct MountedRegistry: Sendable {
    /// The prefix.
    package let prefix: MountPrefix
    /// The registry folder.
    package let root: String
    /// Who may do what in this registry; its accounts are no accounts of another one.
    package let policy: any AccessPolicy

    /// Describes a registry to mount.
    ///
    /// - Parameters:
    ///   - prefix: the prefix.
    ///   - root: the registry folder.
    ///   - policy: who may do what; nobody else learns that the registry exists.
    package init(prefix: MountPrefix, root: String, policy: any AccessPolicy) {
        self.prefix = prefix
        self.root = root
        self.policy = policy
    }

    /// Checks that the registries of a server are separate; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - mounts: the mounted registries.
    ///   - root: the folder of the registry at the root of the server.
    /// - Throws: ``ZooError`` with code `server.mount-conflict` when a prefix is given twice or is a
    ///   namespace of the registry at the root, or a folder is the same as or inside another one; or
    ///   `io.*`.
    static func requireSeparate(_ mounts: [MountedRegistry], root: String) throws(ZooError) {
        var prefixes: Set<MountPrefix> = []
        for mount in mounts where !prefixes.insert(mount.prefix).inserted {
            throw ZooError(
                .mountConflict,
                "the prefix '\(mount.prefix)' is given twice",
                remedy: "mount each registry under a prefix of its own"
            )
        }
        let roots = [root] + mounts.map(\.root)
        for (index, folder) in roots.enumerated() {
            for (other, outer) in roots.enumerated()
            where other != index && isInside(FileSystem.realPath(folder), outer) {
                throw ZooError(
                    .mountConflict,
                    "the registry folder '\(folder)' is the same as, or inside, '\(outer)'",
                    remedy: "give each registry a folder outside the others"
                )
            }
        }
        for mount in mounts
        where try RepositoryContents(root: root).hasNamespace(mount.prefix.text) {
            throw ZooError(
                .mountConflict,
                "the registry '\(root)' has repositories in the namespace '\(mount.prefix)', which "
                    + "a registry under that prefix would hide",
                remedy: "mount the registry under another prefix"
            )
        }
    }

    /// Whether a folder is `outer` or inside it, also through a bind mount.
    private static func isInside(_ path: String, _ outer: String) -> Bool {
        var folder = path
        while !FileSystem.isSame(folder, outer) {
            guard folder != "/" else { return false }
            folder = FileSystem.parent(of: folder)
        }
        return true
    }
}

/// The first component of the paths and repositories of a mounted registry.
package struct MountPrefix: Sendable, Hashable, CustomStringConvertible {
    /// What the server serves at its root, or what the format of a registry keeps for itself.
    private static let reserved: Set<String> = [
        "api", "blobs", "healthz", "index", "log", "metrics", "oci-layout", "token", "tuf", "v2",
    ]
    private static let longest = 64

    /// The prefix, without slashes.
    package let text: String

    /// Parses a prefix: 1 to 64 lower-case letters, digits and single hyphens between them.
    ///
    /// - Throws: ``ZooError`` with code `server.mount-malformed`.
    package init(parsing text: String) throws(ZooError) {
        let words = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longest,
            words.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isWord) })
        else {
            throw ZooError(
                .mountMalformed,
                "'\(text.prefix(80))' is not a prefix",
                remedy:
                    "use 1 to \(Self.longest) lower-case letters and digits, with single hyphens "
                    + "between them"
            )
        }
        guard !Self.reserved.contains(text) else {
            throw ZooError(
                .mountMalformed,
                "the prefix '\(text)' is a path of the server itself",
                remedy: "use another prefix, such as 'partner-\(text)'"
            )
        }
        self.text = text
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// The prefix, without slashes.
    package var description: String { text }
}
