// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto
internal import Foundation
internal import SwiftASN1
package import ZooCore
internal import ZooFiles

/// An ECDSA private key in memory, from a file in PEM form.
///
/// Its description and its mirror show the public half only, so that it cannot be printed by mistake.
package struct PrivateKey: SigningKey, CustomStringConvertible, CustomReflectable {
    private enum Material: Sendable {
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case p521(P521.Signing.PrivateKey)
    }

    private let material: Material
    /// The public key.
    package let publicKey: VerificationKey

    /// The public half.
    package var description: String { "PrivateKey(\(publicKey.hint.prefix(12)))" }
    /// Nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }

    private init(_ material: Material) throws(ZooError) {
        self.material = material
        switch material {
        case .p256(let key):
            publicKey = try VerificationKey(
                pem: key.publicKey.pemRepresentation,
                algorithm: .ecdsaP256
            )
        case .p384(let key):
            publicKey = try VerificationKey(
                pem: key.publicKey.pemRepresentation,
                algorithm: .ecdsaP384
            )
        case .p521(let key):
            publicKey = try VerificationKey(
                pem: key.publicKey.pemRepresentation,
                algorithm: .ecdsaP521
            )
        }
    }

    /// Makes a new key on P-256.
    package static func generate() throws(ZooError) -> PrivateKey {
        try PrivateKey(.p256(P256.Signing.PrivateKey()))
    }

    /// Reads a key: PKCS#8, encrypted PKCS#8 or SEC 1, in PEM form.
    ///
    /// - Parameters:
    ///   - text: the text of the file.
    ///   - passphrase: called for an encrypted key; nil when there is none.
    /// - Throws: ``ZooError`` with code `key.malformed`, `key.locked` without a passphrase or with a
    ///   wrong one, or the error of `passphrase`.
    package init(
        pem text: String,
        passphrase: () throws(ZooError) -> [UInt8]?
    ) throws(ZooError) {
        // OpenSSL writes the parameters of the curve before a key in SEC 1.
        guard let documents = try? PEMDocument.parseMultiple(pemString: text),
            let document = documents.last(where: { $0.discriminator.hasSuffix("PRIVATE KEY") })
        else { throw Self.malformed }
        switch document.discriminator {
        case "PRIVATE KEY", "EC PRIVATE KEY":
            guard let key = try Self.plain(document) else { throw Self.malformed }
            self = key
        case "ENCRYPTED PRIVATE KEY":
            let encrypted: EncryptedKey
            do {
                encrypted = try EncryptedKey(der: document.derBytes)
            } catch {
                throw error as? ZooError ?? Self.malformed
            }
            guard let passphrase = try passphrase() else { throw Self.locked("needs a passphrase") }
            guard let der = try? encrypted.decrypted(passphrase),
                let key = try? Self.plain(PEMDocument(type: "PRIVATE KEY", derBytes: der))
            else { throw Self.locked("does not open with this passphrase") }
            self = key
        default: throw Self.malformed
        }
    }

    private static func plain(_ document: PEMDocument) throws(ZooError) -> PrivateKey? {
        let text = document.pemString
        let material: Material
        if let key = try? P256.Signing.PrivateKey(pemRepresentation: text) {
            material = .p256(key)
        } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: text) {
            material = .p384(key)
        } else if let key = try? P521.Signing.PrivateKey(pemRepresentation: text) {
            material = .p521(key)
        } else {
            return nil
        }
        let key = try PrivateKey(material)
        // Neither an encrypted file nor the reader above has a checksum; a changed private number would
        // be another key.
        guard try storedPoint(document).map({ isPoint($0, of: key.publicKey) }) ?? true else {
            throw ZooError(
                .keyMalformed,
                "the private key does not belong to the public key in the same file",
                remedy: "restore the file from a copy"
            )
        }
        return key
    }

    /// Whether a point in either form of SEC 1 (2.3.3) is that of a key.
    private static func isPoint(_ point: [UInt8], of key: VerificationKey) -> Bool {
        guard point.first == 2 || point.first == 3, let last = key.encoding.last else {
            return point == key.encoding
        }
        return point[0] == 2 + (last & 1)
            && key.encoding.dropFirst().starts(with: point.dropFirst())
            && key.encoding.count == 2 * point.count - 1
    }

    /// The public key inside a private one; nil when there is none.
    ///
    /// PKCS#8 (RFC 5958) holds an `ECPrivateKey` (RFC 5915), whose optional member 1 is the point.
    private static func storedPoint(_ document: PEMDocument) throws(ZooError) -> [UInt8]? {
        do {
            var bytes = document.derBytes
            if document.discriminator == "PRIVATE KEY" {
                bytes = try DER.sequence(try DER.parse(bytes), identifier: .sequence) { nodes in
                    _ = (nodes.next(), nodes.next())
                    let inner = Array(try ASN1OctetString(derEncoded: &nodes).bytes)
                    while nodes.next() != nil {}
                    return inner
                }
            }
            return try DER.sequence(try DER.parse(bytes), identifier: .sequence) { nodes in
                var point: [UInt8]?
                while let node = nodes.next() {
                    guard node.identifier.tagClass == .contextSpecific,
                        node.identifier.tagNumber == 1, case .constructed(let inner) = node.content
                    else { continue }
                    var parts = inner.makeIterator()
                    point = Array(try ASN1BitString(derEncoded: &parts).bytes)
                }
                return point
            }
        } catch {
            throw malformed
        }
    }

    private static var malformed: ZooError {
        ZooError(
            .keyMalformed,
            "the file holds no ECDSA private key on P-256, P-384 or P-521 in PEM form",
            remedy: "make a key with 'ami-zoo keys new NAME'"
        )
    }

    private static func locked(_ how: String) -> ZooError {
        ZooError(
            .keyLocked,
            "the private key is encrypted and \(how)",
            remedy: "type it when you are asked, or set AMI_ZOO_KEY_PASSPHRASE"
        )
    }

    /// The file of the key: PKCS#8 in PEM form.
    ///
    /// - Parameter passphrase: encrypts the key; nil to leave it plain.
    /// - Returns: the text of the file.
    /// - Throws: ``ZooError`` with code `key.malformed` when it cannot be encrypted.
    package func pem(passphrase: [UInt8]?) throws(ZooError) -> String {
        guard let passphrase else {
            return switch material {
            case .p256(let key): key.pemRepresentation + "\n"
            case .p384(let key): key.pemRepresentation + "\n"
            case .p521(let key): key.pemRepresentation + "\n"
            }
        }
        let der: Data =
            switch material {
            case .p256(let key): key.derRepresentation
            case .p384(let key): key.derRepresentation
            case .p521(let key): key.derRepresentation
            }
        do {
            let encrypted = try EncryptedKey(Array(der), passphrase: passphrase).der
            return PEMDocument(type: "ENCRYPTED PRIVATE KEY", derBytes: encrypted).pemString + "\n"
        } catch {
            throw ZooError(.keyMalformed, "the key cannot be encrypted", cause: error)
        }
    }

    /// Signs a message.
    ///
    /// - Returns: an ECDSA signature in DER form.
    package func signature(for message: [UInt8]) throws(ZooError) -> [UInt8] {
        do {
            switch material {
            case .p256(let key): return Array(try key.signature(for: message).derRepresentation)
            case .p384(let key): return Array(try key.signature(for: message).derRepresentation)
            case .p521(let key): return Array(try key.signature(for: message).derRepresentation)
            }
        } catch {
            throw ZooError(.keyMalformed, "the key cannot sign", cause: error)
        }
    }
}
