// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooRegistry
package import ZooTrust

/// The keys that a command has for changes of signed registries.
package struct PublisherKeys: Sendable {
    /// The keys of a publisher.
    let keys: [PrivateKey]
    /// The folder with the registry's own keys; nil where a server has them.
    let state: String?

    /// No keys: only registries without signed metadata can be changed.
    package static let none = PublisherKeys(keys: [], state: nil)

    /// Takes keys.
    package init(keys: [PrivateKey], state: String?) {
        self.keys = keys
        self.state = state
    }

    /// Opens a registry folder for changes that are signed with these keys.
    ///
    /// - Throws: ``ZooError`` with code `trust.online-keys-missing` when there are keys but no folder with those
    ///   of the registry, `trust.not-signed` when there are keys for a registry that is not signed, or as
    ///   ``RegistryFolder/init(opening:)``.
    package func open(_ root: String) throws -> RegistryFolder {
        var registry = try RegistryFolder(opening: root)
        guard !keys.isEmpty || state != nil else { return registry }
        guard try registry.isSigned() else {
            throw ZooError(
                .trustAbsent,
                "'\(root)' is not signed, and keys to sign with were given",
                remedy: "leave out --sign-with and --state, or sign the registry with "
                    + "'ami-zoo trust init \(root) --state FOLDER --key KEY'"
            )
        }
        guard let state else {
            throw ZooError(
                .trustOnlineKeys,
                "the keys for the snapshot and the timestamp of '\(root)' are needed too",
                remedy: "give the folder that 'ami-zoo trust init' made, with --state"
            )
        }
        registry.signer = RegistrySigner(
            keys: keys,
            online: try OnlineKeys(in: try TrustState(state, of: root).keys)
        )
        return registry
    }
}
