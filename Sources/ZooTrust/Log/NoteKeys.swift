// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto
internal import Foundation
package import ZooCore

/// The public key of signed notes: an Ed25519 key with a name (C2SP signed-note, "Verifier keys").
package struct NoteVerifier: Sendable, Hashable {
    /// The type of Ed25519 signatures.
    fileprivate static let ed25519: UInt8 = 1

    /// The name of the key.
    package let name: String
    /// The ID that signatures of the key state.
    package let keyID: UInt32
    private let key: VerificationKey
    /// The text form, `<name>+<ID>+<base64 of the type and the key>`.
    package let text: String

    /// Creates a key; the name must be one (``SignedNote/isName(_:)``).
    fileprivate init(name: String, publicKey: [UInt8]) throws(ZooError) {
        key = try VerificationKey(ed25519: publicKey)
        self.name = name
        let encoded = [Self.ed25519] + publicKey
        let digest = ContentDigest(of: Array(name.utf8) + [UInt8(ascii: "\n")] + encoded)
        keyID = digest.bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        text = "\(name)+\(digest.hex.prefix(8))+\(Data(encoded).base64EncodedString())"
    }

    /// Parses the text form.
    ///
    /// - Throws: ``ZooError`` with code `log.key-malformed`.
    package init(parsing text: String) throws(ZooError) {
        let (name, key) = try Self.parts(text)
        try self.init(name: name, publicKey: key)
        guard self.text == text else { throw .malformedLogKey("its ID is not that of the key") }
    }

    /// The name and the key of a text form whose ID is not checked yet.
    fileprivate static func parts(_ text: String) throws(ZooError) -> (String, [UInt8]) {
        // Base64 may contain a plus.
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count == 3, SignedNote.isName(parts[0]), parts[1].utf8.count == 8,
            let bytes = [UInt8](strictBase64: parts[2]), bytes.count == 33, bytes[0] == ed25519
        else {
            throw .malformedLogKey("it is not '<name>+<8 digits>+<base64 of an Ed25519 key>'")
        }
        return (parts[0], Array(bytes.dropFirst()))
    }

    /// Whether a note has a signature of this key, and all signatures of it are valid.
    package func verifies(_ note: SignedNote) -> Bool {
        let own = note.signatures.filter {
            $0.keyID == keyID && $0.name.utf8.elementsEqual(name.utf8)
        }
        return !own.isEmpty && own.allSatisfy { key.isValid($0.bytes, for: note.text) }
    }
}

/// The private key of signed notes; its description and mirror show the public half only.
package struct NoteSigner: Sendable, CustomStringConvertible, CustomReflectable {
    private static let prefix = "PRIVATE+KEY+"

    private let key: Curve25519.Signing.PrivateKey
    /// The public key.
    package let verifier: NoteVerifier

    /// The public half.
    package var description: String { "NoteSigner(\(verifier.text))" }
    /// Nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }

    private init(
        name: String,
        _ key: Curve25519.Signing.PrivateKey
    ) throws(ZooError) {
        self.key = key
        verifier = try NoteVerifier(name: name, publicKey: Array(key.publicKey.rawRepresentation))
    }

    /// Makes a new key.
    ///
    /// - Throws: ``ZooError`` with code `log.key-malformed` when the name cannot be that of a key.
    package static func generate(name: String) throws(ZooError) -> NoteSigner {
        guard SignedNote.isName(name) else {
            throw .malformedLogKey("'\(name.prefix(80))' cannot be the name of a key")
        }
        return try NoteSigner(name: name, Curve25519.Signing.PrivateKey())
    }

    /// Parses the text form that Go's `golang.org/x/mod/sumdb/note` writes:
    /// `PRIVATE+KEY+<name>+<ID>+<base64 of the type and the seed>`.
    ///
    /// - Throws: ``ZooError`` with code `log.key-malformed`.
    package init(parsing text: String) throws(ZooError) {
        guard text.hasPrefix(Self.prefix) else {
            throw .malformedLogKey("it does not begin with '\(Self.prefix)'")
        }
        let (name, seed) = try NoteVerifier.parts(String(text.dropFirst(Self.prefix.count)))
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            throw .malformedLogKey("it is not an Ed25519 key")
        }
        try self.init(name: name, key)
        guard secretText == text else { throw .malformedLogKey("its ID is not that of the key") }
    }

    /// The text form, which is secret.
    package var secretText: String {
        let digits = String(verifier.keyID, radix: 16)
        let id = String(repeating: "0", count: 8 - digits.count) + digits
        let encoded = Data([NoteVerifier.ed25519] + key.rawRepresentation).base64EncodedString()
        return "\(Self.prefix)\(verifier.name)+\(id)+\(encoded)"
    }

    /// Signs a text.
    ///
    /// - Parameter text: the text, which ends with a line break.
    /// - Returns: the note with one signature.
    /// - Throws: ``ZooError`` with code `log.key-malformed` when the key cannot sign.
    package func sign(_ text: [UInt8]) throws(ZooError) -> SignedNote {
        precondition(text.last == UInt8(ascii: "\n"), "the text of a note ends with a line break")
        do {
            let signature = SignedNote.Signature(
                name: verifier.name,
                keyID: verifier.keyID,
                bytes: Array(try key.signature(for: text))
            )
            return SignedNote(text: text, signatures: [signature])
        } catch {
            throw ZooError(.logKeyMalformed, "the key of the log cannot sign", cause: error)
        }
    }
}
