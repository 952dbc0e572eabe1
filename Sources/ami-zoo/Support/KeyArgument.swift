// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// A key on a command line: the name of one of the user's keys, else the path of a PEM file.
///
/// Text that can be a name is never taken for a path: a file of that name in the current folder, which may have
/// come with a model, must not replace the user's key.
struct KeyArgument {
    let text: String
    let surroundings: Surroundings

    /// The public key, which may be revoked.
    func publicKey() throws(ZooError) -> VerificationKey {
        guard KeyFolder.isName(text) else { return try KeyFolder.publicKey(in: text) }
        return try named { folder throws(ZooError) in try folder.publicKey(named: text) }
    }

    /// The public key of a signature to check.
    ///
    /// - Throws: ``ZooError`` with code `key.revoked`, or as ``publicKey()``.
    func verificationKey() throws(ZooError) -> VerificationKey {
        let key = try publicKey()
        try requireUsable(key, to: .verify)
        return key
    }

    /// The private key to sign a folder with.
    ///
    /// - Throws: ``ZooError`` with code `key.revoked`, `key.exposed` when the file lies in that folder, or another
    ///   `key.*` code.
    func signingKey(for folder: String) throws(ZooError) -> PrivateKey {
        let inside = FileSystem.realPath(folder) + "/"
        guard KeyFolder.isName(text) || !FileSystem.realPath(text).beginsExactly(with: inside)
        else {
            throw ZooError(
                .keyExposed,
                "the private key '\(text)' lies in the folder, and would be published with the model",
                remedy: "move it to another folder"
            )
        }
        return try metadataKey()
    }

    /// The private key to sign the metadata of a registry with.
    ///
    /// - Throws: ``ZooError`` with code `key.revoked` or another `key.*` code.
    func metadataKey() throws(ZooError) -> PrivateKey {
        func passphrase() -> [UInt8]? { KeyPassphrase.existing(of: text, surroundings) }
        let key: PrivateKey
        if KeyFolder.isName(text) {
            key = try named { keys throws(ZooError) in
                try keys.privateKey(named: text, passphrase: passphrase)
            }
        } else {
            key = try KeyFolder.privateKey(in: text, passphrase: passphrase)
        }
        try requireUsable(key.publicKey, to: .sign)
        return key
    }

    private func requireUsable(
        _ key: VerificationKey,
        to purpose: KeyFolder.Purpose
    ) throws(ZooError) {
        try surroundings.requireUsable(key, to: purpose)
    }

    private func named<Key>(
        _ read: (KeyFolder) throws(ZooError) -> Key
    ) throws(ZooError) -> Key {
        do throws(ZooError) {
            return try read(KeyFolder(try surroundings.keyFolder))
        } catch  where error.code == .keyUnknown {
            guard try FileSystem.status(text) != nil else { throw error }
            throw ZooError(error.code, error.message, remedy: "for the file, write './\(text)'")
        }
    }
}

extension Surroundings {
    /// Checks that a key is not revoked on this machine.
    ///
    /// - Throws: ``ZooError`` with code `key.revoked`.
    func requireUsable(
        _ key: VerificationKey,
        to purpose: KeyFolder.Purpose
    ) throws(ZooError) {
        guard let folder = try? keyFolder else {
            return Console.note("HOME is not set, so that no list of revoked keys was read")
        }
        try KeyFolder(folder).requireUsable(key, to: purpose)
    }
}
