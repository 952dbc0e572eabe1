// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The signing keys of a user, by name, and the keys that are revoked on this machine.
///
/// `NAME.pem` holds the private key with mode 0600, `NAME.pub` the public key; `revoked.json` lists
/// revoked keys. All calls block.
package struct KeyFolder: Sendable {
    private static let limit = VerificationKey.fileLimit

    /// A key of the folder.
    package struct Entry: Sendable {
        /// The name.
        package let name: String
        /// The public key.
        package let key: VerificationKey
        /// When it was revoked; nil if it is not.
        package let revoked: Timestamp?
    }

    private let path: String

    /// Refers to a folder, which is made when a key is stored.
    package init(_ path: String) { self.path = path }

    /// Stores a new key.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - name: its name: letters, digits, dots, hyphens and underscores.
    ///   - passphrase: encrypts it; nil to leave it plain.
    /// - Throws: ``ZooError`` with code `key.name-invalid`, also when the name is taken; `io.*`.
    package func store(
        _ key: PrivateKey,
        named name: String,
        passphrase: [UInt8]?
    ) throws(ZooError) {
        try Self.require(name)
        let folder = try PrivateFolder(path)
        let file: OpenFile
        do {
            file = try OpenFile("\(folder.path)/\(name).pem", .createPrivate)
        } catch  where error.code == .fileExists {
            throw ZooError(
                .keyName,
                "there is already a key '\(name)'",
                remedy: "choose another name; 'ami-zoo keys list' lists them"
            )
        }
        do throws(ZooError) {
            try file.write(Array(try key.pem(passphrase: passphrase).utf8), at: 0)
            try file.synchronize()
            let text = key.publicKey.pem + "\n"
            try FileSystem.writeAtomically("\(folder.path)/\(name).pub", Array(text.utf8))
        } catch {
            // A private key without its public half would take the name.
            try? FileSystem.remove(file.path)
            throw error
        }
    }

    /// Lists the keys by name.
    ///
    /// - Throws: ``ZooError`` with code `key.malformed` or `io.*`.
    package func entries() throws(ZooError) -> [Entry] {
        let revoked = try revocations()
        var entries: [Entry] = []
        for file in try FileSystem.names(in: path) where file.hasSuffix(".pub") {
            let name = String(file.dropLast(4))
            let key = try publicKey(named: name)
            entries.append(Entry(name: name, key: key, revoked: revoked[key.hint]))
        }
        return entries
    }

    /// The public key of a name.
    ///
    /// - Throws: ``ZooError`` with code `key.not-found`, `key.malformed` or `io.*`.
    package func publicKey(named name: String) throws(ZooError) -> VerificationKey {
        try Self.require(name)
        return try Self.publicKey(in: try require(file: "\(path)/\(name).pub", name))
    }

    /// The private key of a name.
    ///
    /// - Throws: ``ZooError`` with code `key.not-found`, or as ``privateKey(in:passphrase:)``.
    package func privateKey(
        named name: String,
        passphrase: () throws(ZooError) -> [UInt8]?
    ) throws(ZooError) -> PrivateKey {
        try Self.require(name)
        let file = try require(file: "\(path)/\(name).pem", name)
        return try Self.privateKey(in: file, passphrase: passphrase)
    }

    /// Reads a file with a public key in PEM form.
    ///
    /// - Throws: ``ZooError`` with code `key.malformed` or `io.*`.
    package static func publicKey(in file: String) throws(ZooError) -> VerificationKey {
        let text = try FileSystem.document(file, limit: limit)
        return try VerificationKey(publicKeyFile: String(decoding: text, as: UTF8.self))
    }

    /// Reads a file with a private key, which nobody else may be able to read.
    ///
    /// - Throws: ``ZooError`` with code `key.exposed`, `key.malformed`, `key.locked` or `io.*`.
    package static func privateKey(
        in file: String,
        passphrase: () throws(ZooError) -> [UInt8]?
    ) throws(ZooError) -> PrivateKey {
        let status = try FileSystem.followedStatus(file)
        guard status.permissions & 0o077 == 0 else {
            throw ZooError(
                .keyExposed,
                "'\(file)' holds a private key, and its mode "
                    + "\(String(status.permissions, radix: 8)) lets other users open it",
                remedy: "run 'chmod 600 \(file)'; make a new key if others had access"
            )
        }
        let text = try FileSystem.document(file, limit: limit)
        return try PrivateKey(pem: String(decoding: text, as: UTF8.self), passphrase: passphrase)
    }

    private func require(file: String, _ name: String) throws(ZooError) -> String {
        guard try FileSystem.status(file) != nil else {
            throw ZooError(
                .keyUnknown,
                "there is no key '\(name)'",
                remedy: "'ami-zoo keys list' lists the keys, 'ami-zoo keys new \(name)' makes one"
            )
        }
        return file
    }

    /// Whether text can be the name of a key; paths cannot.
    package static func isName(_ text: String) -> Bool {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        return allowed && 1...64 ~= text.utf8.count && text.utf8.first != UInt8(ascii: ".")
            && !text.hasSuffix(".pem") && !text.hasSuffix(".pub")
    }

    private static func require(_ name: String) throws(ZooError) {
        guard isName(name) else {
            throw ZooError(
                .keyName,
                "'\(name)' is not a name for a key",
                remedy: "use 1 to 64 letters, digits, dots, hyphens and underscores"
            )
        }
    }

    // MARK: Revocation

    private var revokedFile: String { "\(path)/revoked.json" }

    /// Revokes a key: this machine accepts none of its signatures from now on, because nothing here
    /// proves that one is older.
    ///
    /// - Returns: whether it was not revoked before.
    /// - Throws: ``ZooError`` with code `io.*`, or that of a damaged list.
    package func revoke(_ key: VerificationKey, at now: Timestamp) throws(ZooError) -> Bool {
        var revoked = try revocations()
        guard revoked[key.hint] == nil else { return false }
        revoked[key.hint] = now
        let members = revoked.mapValues { JSONValue.string($0.text) }
        let folder = try PrivateFolder(path)
        let document: JSONValue = ["revoked": .object(members)]
        try FileSystem.writeAtomically("\(folder.path)/revoked.json", document.canonicalBytes)
        return true
    }

    /// Checks that a key is not revoked.
    ///
    /// - Throws: ``ZooError`` with code `key.revoked`.
    package func requireUsable(_ key: VerificationKey) throws(ZooError) {
        guard let date = try revocations()[key.hint] else { return }
        throw ZooError(
            .keyRevoked,
            "the key \(key.hint.prefix(12)) was revoked on \(date), and nothing proves that this "
                + "signature is older",
            remedy: "ask the publisher for a signature with a new key"
        )
    }

    private func revocations() throws(ZooError) -> [String: Timestamp] {
        guard try FileSystem.status(revokedFile) != nil else { return [:] }
        let bytes = try FileSystem.document(revokedFile, limit: 4 << 20)
        let list = try JSONObject(try JSONValue(parsing: bytes)).object("revoked")
        var revoked: [String: Timestamp] = [:]
        for name in list.members.keys {
            guard let date = Timestamp(parsing: try list.string(name)) else {
                throw list.invalid(name, "is not a UTC time")
            }
            revoked[name] = date
        }
        return revoked
    }
}
