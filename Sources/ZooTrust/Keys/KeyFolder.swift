// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The signing keys of a user, by name, and the keys that are revoked on this machine.
///
/// `NAME.pem` holds the private key with mode 0600, `NAME.pub` the public key; `revoked/HINT` holds the time at
/// which a key was revoked. All calls block.
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
        let (secret, open) = (try key.pem(passphrase: passphrase), key.publicKey.pem + "\n")
        let folder = try PrivateFolder(path)
        // The private key is the last to appear; without it a name is free again.
        let taken = ZooError(
            .keyName,
            "there is already a key '\(name)', or one half of it",
            remedy: "choose another name; '\(path)' holds the files"
        )
        guard try FileSystem.status("\(folder.path)/\(name).pem") == nil else { throw taken }
        var made: [String] = []
        do throws(ZooError) {
            for (file, text, mode) in [
                ("\(name).pub", open, OpenFile.Mode.createNew),
                ("\(name).pem", secret, OpenFile.Mode.createPrivate),
            ] {
                let file = try OpenFile("\(folder.path)/\(file)", mode)
                made.append(file.path)
                try file.write(Array(text.utf8), at: 0)
                try file.synchronize()
            }
            try FileSystem.synchronizeFolder(folder.path)
        } catch {
            for file in made { try? FileSystem.remove(file) }
            throw error.code == .fileExists ? taken : error
        }
    }

    /// Lists the keys by name.
    ///
    /// - Throws: ``ZooError`` with code `key.malformed` or `io.*`.
    package func entries() throws(ZooError) -> [Entry] {
        var entries: [Entry] = []
        for file in try FileSystem.names(in: path) where file.hasSuffix(".pub") {
            let name = String(file.dropLast(4))
            guard Self.isName(name) else { continue }
            let key = try publicKey(named: name)
            entries.append(Entry(name: name, key: key, revoked: try revocation(of: key)))
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
        let text = try FileSystem.document(file, limit: limit, followingLinks: true)
        return try VerificationKey(publicKeyFile: String(decoding: text, as: UTF8.self))
    }

    /// Reads a file with a private key, which nobody else may be able to read.
    ///
    /// - Throws: ``ZooError`` with code `key.exposed`, `key.malformed`, `key.locked` or `io.*`.
    package static func privateKey(
        in file: String,
        passphrase: () throws(ZooError) -> [UInt8]?
    ) throws(ZooError) -> PrivateKey {
        // The rights are those of the file that is read, whatever replaces its name meanwhile.
        let open = try OpenFile(file, .readFollowing)
        let status = try open.status()
        guard status.permissions & 0o077 == 0 else {
            throw ZooError(
                .keyExposed,
                "'\(file)' holds a private key, and its mode "
                    + "\(String(status.permissions, radix: 8)) lets other users open it",
                remedy: "run 'chmod 600 \(file)'; make a new key if others had access"
            )
        }
        guard status.size <= limit else {
            throw ZooError(
                .keyMalformed,
                "'\(file)' has \(status.size) bytes, too many for a key",
                remedy: "give a PEM file with a private key"
            )
        }
        let text = try open.bytes(0..<status.size)
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

    /// What a key is to be used for.
    package enum Purpose: Sendable {
        /// To make a signature.
        case sign
        /// To accept a signature.
        case verify
    }

    /// Revokes a key: this machine accepts none of its signatures from now on, because nothing here
    /// proves that one is older.
    ///
    /// - Returns: whether it was not revoked before.
    /// - Throws: ``ZooError`` with code `io.*`.
    package func revoke(_ key: VerificationKey, at now: Timestamp) throws(ZooError) -> Bool {
        let folder = try PrivateFolder("\(try PrivateFolder(path).path)/revoked")
        do throws(ZooError) {
            let file = try OpenFile("\(folder.path)/\(key.hint)", .createNew)
            try file.write(Array(now.text.utf8), at: 0)
            try file.synchronize()
            try FileSystem.synchronizeFolder(folder.path)
            return true
        } catch  where error.code == .fileExists {
            return false
        }
    }

    /// Checks that a key is not revoked.
    ///
    /// - Throws: ``ZooError`` with code `key.revoked`.
    package func requireUsable(
        _ key: VerificationKey,
        to purpose: Purpose
    ) throws(ZooError) {
        guard let date = try revocation(of: key) else { return }
        let what = "the key \(key.hint.prefix(12)) was revoked on \(date)"
        switch purpose {
        case .sign:
            throw ZooError(.keyRevoked, what, remedy: "make another with 'ami-zoo keys new NAME'")
        case .verify:
            throw ZooError(
                .keyRevoked,
                "\(what), and nothing proves that this signature is older",
                remedy: "ask the publisher for a signature with a new key"
            )
        }
    }

    /// When a key was revoked; nil if it is not.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid` for a damaged file, so that its key is not usable.
    private func revocation(of key: VerificationKey) throws(ZooError) -> Timestamp? {
        let file = "\(path)/revoked/\(key.hint)"
        guard try FileSystem.status(file) != nil else { return nil }
        let text = try FileSystem.document(file, limit: 64)
        guard let date = Timestamp(parsing: String(decoding: text, as: UTF8.self)) else {
            throw ZooError(
                .fieldInvalid,
                "'\(file)', which says when a key was revoked, is damaged",
                remedy: "write the UTC time into it, such as 2026-01-31T12:00:00Z"
            )
        }
        return date
    }
}
