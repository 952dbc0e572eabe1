// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto
internal import CryptoExtras
internal import Foundation
package import ZooCore

/// A public key that verifies signatures.
///
/// Two keys are equal when they are the same key, whatever their identifiers.
package struct VerificationKey: Sendable {
    /// A signature algorithm with its hash function.
    package enum Algorithm: String, Sendable {
        /// Ed25519 (RFC 8032).
        case ed25519
        /// ECDSA on P-256 with SHA-256; DER signatures.
        case ecdsaP256 = "ecdsa-sha2-nistp256"
        /// ECDSA on P-384 with SHA-384; DER signatures.
        case ecdsaP384 = "ecdsa-sha2-nistp384"
        /// ECDSA on P-521 with SHA-512; DER signatures.
        case ecdsaP521 = "ecdsa-sha2-nistp521"
        /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes; at least 2048 bits.
        case rsaPSS = "rsassa-pss-sha256"
    }

    private enum Material: Sendable {
        case ed25519(Curve25519.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    /// The algorithm of the key's signatures.
    package let algorithm: Algorithm
    private let material: Material
    /// An encoding that is the same for the same key; of ECDSA the uncompressed point (SEC 1, 2.3.3).
    let encoding: [UInt8]

    /// Reads an Ed25519 key of 32 bytes.
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed`.
    package init(ed25519 bytes: [UInt8]) throws(ZooError) {
        do {
            material = .ed25519(try Curve25519.Signing.PublicKey(rawRepresentation: bytes))
        } catch {
            throw .malformed("an Ed25519 key", "has \(bytes.count) bytes instead of 32")
        }
        algorithm = .ed25519
        encoding = bytes
    }

    /// Reads a SubjectPublicKeyInfo (RFC 5280) in PEM form.
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed`, also for a key on another curve and for an
    ///   RSA key of less than 2048 bits.
    package init(pem: String, algorithm: Algorithm) throws(ZooError) {
        self.algorithm = algorithm
        do {
            switch algorithm {
            case .ed25519:
                throw ZooError.malformed("an Ed25519 key", "is in PEM form instead of hexadecimal")
            case .ecdsaP256:
                let key = try P256.Signing.PublicKey(pemRepresentation: pem)
                (material, encoding) = (.p256(key), Array(key.x963Representation))
            case .ecdsaP384:
                let key = try P384.Signing.PublicKey(pemRepresentation: pem)
                (material, encoding) = (.p384(key), Array(key.x963Representation))
            case .ecdsaP521:
                let key = try P521.Signing.PublicKey(pemRepresentation: pem)
                (material, encoding) = (.p521(key), Array(key.x963Representation))
            case .rsaPSS:
                let key = try _RSA.Signing.PublicKey(pemRepresentation: pem)
                (material, encoding) = (.rsa(key), Array(key.derRepresentation))
            }
        } catch {
            throw ZooError(
                .trustMalformed,
                "a key is not a PEM public key for \(algorithm.rawValue)",
                remedy: "report it to the registry's owner",
                cause: error
            )
        }
    }

    /// A SubjectPublicKeyInfo in PEM form, with lines of 64 characters and no line break at the end.
    package var pem: String {
        switch material {
        case .ed25519(let key):
            // The prefix of RFC 8410 for 32 bytes of Ed25519.
            let prefix: [UInt8] = [
                0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0,
            ]
            let text = Data(prefix + key.rawRepresentation).base64EncodedString()
            return "-----BEGIN PUBLIC KEY-----\n\(text)\n-----END PUBLIC KEY-----"
        case .p256(let key): return key.pemRepresentation
        case .p384(let key): return key.pemRepresentation
        case .p521(let key): return key.pemRepresentation
        case .rsa(let key): return key.pemRepresentation
        }
    }

    /// Whether a signature of this key over a message is valid; false for bytes of any other form.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch material {
        case .ed25519(let key):
            return key.isValidSignature(signature, for: message)
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .p384(let key):
            guard let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .p521(let key):
            guard let signature = try? P521.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .rsa(let key):
            return key.isValidSignature(.init(rawRepresentation: signature), for: message)
        }
    }
}

extension VerificationKey: Hashable {
    /// Whether two keys are the same key with the same algorithm.
    package static func == (left: Self, right: Self) -> Bool {
        left.algorithm == right.algorithm && left.encoding == right.encoding
    }

    /// Hashes the algorithm and the encoded key.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(algorithm)
        hasher.combine(encoding)
    }
}
