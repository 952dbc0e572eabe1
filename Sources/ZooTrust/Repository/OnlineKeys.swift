// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The private keys of the roles snapshot and timestamp, which sign at each change without a person.
///
/// Whoever has them can keep a registry at an old state until its metadata expires, but can publish nothing.
package struct OnlineKeys: Sendable {
    /// The keys; metadata is signed with those that its root lists.
    let keys: [PrivateKey]

    /// Takes keys.
    package init(_ keys: [PrivateKey]) { self.keys = keys }

    /// Reads every key of a folder.
    ///
    /// - Parameter folder: the folder, which only its owner can read.
    /// - Throws: ``ZooError`` with code `trust.online-keys-missing` when it has none, or a `key.*` code.
    package init(in folder: String) throws(ZooError) {
        let keyFolder = KeyFolder(folder)
        var keys: [PrivateKey] = []
        for entry in try keyFolder.entries() {
            keys.append(try keyFolder.privateKey(named: entry.name) { () throws(ZooError) in nil })
        }
        guard !keys.isEmpty else { throw Self.missing(folder) }
        self.keys = keys
    }

    /// Makes a key for each of the two roles.
    ///
    /// - Parameters:
    ///   - folder: the folder, which is made with mode 0700.
    ///   - version: the version of the root that will list them, which is part of their names.
    /// - Returns: the public keys.
    /// - Throws: ``ZooError`` with a `key.*` or `io.*` code.
    package static func make(
        in folder: String,
        forRoot version: Int
    ) throws(ZooError) -> (snapshot: VerificationKey, timestamp: VerificationKey) {
        func key(_ role: RoleName) throws(ZooError) -> VerificationKey {
            let (keys, name) = (KeyFolder(folder), "\(role)-\(version)")
            // An interrupted attempt may have made it.
            if let known = try? keys.publicKey(named: name),
                (try? keys.privateKey(named: name) { () throws(ZooError) in nil }) != nil
            {
                return known
            }
            let key = try PrivateKey.generate()
            try keys.store(key, named: name, passphrase: nil)
            return key.publicKey
        }
        return (try key(.snapshot), try key(.timestamp))
    }

    static func missing(_ place: String) -> ZooError {
        ZooError(
            .trustOnlineKeys,
            "there are no keys for the snapshot and the timestamp of this registry in '\(place)'",
            remedy: "give the folder that 'ami-zoo trust init' made, with --state"
        )
    }
}
