// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto
internal import CryptoExtras
internal import Foundation
internal import SwiftASN1
internal import ZooCore

/// An encrypted private key: `EncryptedPrivateKeyInfo` of PKCS#8 (RFC 5958) with PBES2 (RFC 8018),
/// PBKDF2 and AES-CBC, as OpenSSL writes it.
struct EncryptedKey: Sendable {
    /// The rounds of PBKDF2 with HMAC-SHA-256 for new keys (OWASP Password Storage Cheat Sheet, 2023).
    private static let rounds = 600_000
    /// The most rounds that are computed for a file of others: some seconds.
    private static let mostRounds = 10_000_000

    private enum Identifier {
        static let pbes2: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 5, 13]
        static let pbkdf2: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 5, 12]
        static let hmacSHA1: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 2, 7]
        static let hmacSHA256: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 2, 9]
        static let hmacSHA384: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 2, 10]
        static let hmacSHA512: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 2, 11]
        static let aes128CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 2]
        static let aes256CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 42]
    }

    private let salt: [UInt8]
    private let rounds: Int
    private let hash: KDF.Insecure.PBKDF2.HashFunction
    private let keyBytes: Int
    private let vector: [UInt8]
    private let ciphertext: [UInt8]

    /// Encrypts a key.
    init(_ key: [UInt8], passphrase: [UInt8]) throws {
        var generator = SystemRandomNumberGenerator()
        salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        vector = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        (rounds, hash, keyBytes) = (Self.rounds, .sha256, 32)
        ciphertext = Array(
            try AES._CBC.encrypt(
                key,
                using: Self.derive(passphrase, salt, hash, keyBytes, rounds),
                iv: AES._CBC.IV(ivBytes: vector)
            )
        )
    }

    /// Decrypts the key; a wrong passphrase gives an error or bytes that are no key.
    func decrypted(_ passphrase: [UInt8]) throws -> [UInt8] {
        Array(
            try AES._CBC.decrypt(
                ciphertext,
                using: Self.derive(passphrase, salt, hash, keyBytes, rounds),
                iv: AES._CBC.IV(ivBytes: vector)
            )
        )
    }

    private static func derive(
        _ passphrase: [UInt8],
        _ salt: [UInt8],
        _ hash: KDF.Insecure.PBKDF2.HashFunction,
        _ count: Int,
        _ rounds: Int
    ) throws -> SymmetricKey {
        // Unchecked, because OpenSSL writes files with 2048 rounds.
        try KDF.Insecure.PBKDF2.deriveKey(
            from: passphrase,
            salt: salt,
            using: hash,
            outputByteCount: count,
            unsafeUncheckedRounds: rounds
        )
    }
}

// MARK: DER

extension EncryptedKey {
    /// Reads the DER form.
    ///
    /// - Throws: an error of SwiftASN1, or ``ZooError`` with code `key.malformed` for another scheme.
    init(der bytes: [UInt8]) throws {
        let root = try DER.parse(bytes)
        let (scheme, ciphertext) = try DER.sequence(root, identifier: .sequence) { nodes in
            (try Self.algorithm(nodes.next()), try ASN1OctetString(derEncoded: &nodes))
        }
        guard scheme.0 == Identifier.pbes2, let parameters = scheme.1 else { throw Self.unknown }
        let (derivation, cipher) = try DER.sequence(parameters, identifier: .sequence) { nodes in
            (try Self.algorithm(nodes.next()), try Self.algorithm(nodes.next()))
        }
        guard derivation.0 == Identifier.pbkdf2, let derivationParameters = derivation.1,
            let vector = try cipher.1.map({ try ASN1OctetString(derEncoded: $0) })
        else { throw Self.unknown }
        switch cipher.0 {
        case Identifier.aes128CBC: keyBytes = 16
        case Identifier.aes256CBC: keyBytes = 32
        default: throw Self.unknown
        }
        let (salt, rounds, function) = try DER.sequence(
            derivationParameters,
            identifier: .sequence
        ) { nodes in
            let salt = try ASN1OctetString(derEncoded: &nodes)
            let rounds = try Int(derEncoded: &nodes)
            var next = nodes.next()
            // The length of the key, which the cipher determines.
            if next?.identifier == .integer { next = nodes.next() }
            return (salt, rounds, try next.map { try Self.algorithm($0).0 })
        }
        switch function ?? Identifier.hmacSHA1 {
        case Identifier.hmacSHA1: hash = .insecureSHA1
        case Identifier.hmacSHA256: hash = .sha256
        case Identifier.hmacSHA384: hash = .sha384
        case Identifier.hmacSHA512: hash = .sha512
        default: throw Self.unknown
        }
        guard 1...Self.mostRounds ~= rounds, vector.bytes.count == 16 else { throw Self.unknown }
        self.salt = Array(salt.bytes)
        self.rounds = rounds
        self.vector = Array(vector.bytes)
        self.ciphertext = Array(ciphertext.bytes)
    }

    private static var unknown: ZooError {
        ZooError(
            .keyMalformed,
            "the private key is encrypted in a way that is not supported",
            remedy:
                "encrypt it with PBES2, PBKDF2 and AES-256-CBC: 'openssl pkcs8 -topk8 -v2 aes-256-cbc'"
        )
    }

    private static func algorithm(
        _ node: ASN1Node?
    ) throws -> (ASN1ObjectIdentifier, ASN1Node?) {
        guard let node else { throw Self.unknown }
        return try DER.sequence(node, identifier: .sequence) { nodes in
            (try ASN1ObjectIdentifier(derEncoded: &nodes), nodes.next())
        }
    }

    /// The DER form of a key that this program encrypted.
    var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.appendConstructedNode(identifier: .sequence) { coder in
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    try coder.serialize(Identifier.pbes2)
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        try coder.appendConstructedNode(identifier: .sequence) { coder in
                            try coder.serialize(Identifier.pbkdf2)
                            try coder.appendConstructedNode(identifier: .sequence) { coder in
                                try coder.serialize(ASN1OctetString(contentBytes: salt[...]))
                                try coder.serialize(rounds)
                                try coder.appendConstructedNode(identifier: .sequence) { coder in
                                    try coder.serialize(Identifier.hmacSHA256)
                                    try coder.serialize(ASN1Null())
                                }
                            }
                        }
                        try coder.appendConstructedNode(identifier: .sequence) { coder in
                            try coder.serialize(Identifier.aes256CBC)
                            try coder.serialize(ASN1OctetString(contentBytes: vector[...]))
                        }
                    }
                }
                try coder.serialize(ASN1OctetString(contentBytes: ciphertext[...]))
            }
            return serializer.serializedBytes
        }
    }
}
