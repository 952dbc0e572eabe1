// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Metadata that is being signed: the signed object, and the signatures that it has so far.
package struct MetadataDraft<Content: SignableMetadata>: Sendable {
    /// The content.
    package let content: Content
    private let signed: JSONValue
    private let message: [UInt8]
    private var signatures: [KeyID: [UInt8]]

    /// Starts with no signature.
    ///
    /// - Throws: ``ZooError`` with code `trust.keys-invalid`.
    package init(_ content: Content) throws(ZooError) {
        self.content = content
        signed = .object(try content.signed)
        message = try signed.canonicalTUF()
        signatures = [:]
    }

    /// Continues with a document that has some signatures; members that this program does not know stay.
    ///
    /// - Throws: ``ZooError`` as ``SignedDocument/init(parsing:)``.
    package init(parsing bytes: [UInt8]) throws(ZooError) {
        let document = try SignedDocument<Content>(parsing: bytes)
        content = document.content
        signed = document.signed
        message = document.message
        signatures = document.signatures
    }

    /// Signs with the keys that the role has; others are left out.
    ///
    /// - Parameters:
    ///   - keys: private keys.
    ///   - role: the keys of the role.
    /// - Returns: how many of the keys belong to the role.
    /// - Throws: ``ZooError`` with a `key.*` code.
    @discardableResult
    package mutating func sign(
        with keys: [PrivateKey],
        for role: RoleKeys
    ) throws(ZooError) -> Int {
        var count = 0
        for (id, key) in role.keys {
            guard let signer = keys.first(where: { $0.publicKey == key }) else { continue }
            signatures[id] = try signer.signature(for: message)
            count += 1
        }
        return count
    }

    /// Signs with a key under its conventional identifier, whether or not the role has it.
    ///
    /// - Throws: ``ZooError`` with code `trust.keys-invalid` or a `key.*` code.
    package mutating func sign(with key: PrivateKey) throws(ZooError) {
        signatures[try KeyID(of: key.publicKey)] = try key.signature(for: message)
    }

    /// How many different keys of a role signed.
    package func signatures(of role: RoleKeys) -> Int {
        role.signers(signatures, over: message).count
    }

    /// The document; it is JSON, and the order of signatures is that of their identifiers.
    package var bytes: [UInt8] {
        let list = signatures.sorted { $0.key.description < $1.key.description }
        let document: JSONValue = [
            "signed": signed,
            "signatures": .array(
                list.map { id, signature in
                    ["keyid": .string(id.description), "sig": .string(signature.hexadecimal)]
                }
            ),
        ]
        return document.canonicalBytes
    }

    /// The document, read again and verified as a client does.
    ///
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`.
    package func verified(
        as role: RoleName,
        by keys: RoleKeys
    ) throws(ZooError) -> Verified<Content> {
        try SignedDocument<Content>(parsing: bytes).verified(as: role, by: keys)
    }
}
