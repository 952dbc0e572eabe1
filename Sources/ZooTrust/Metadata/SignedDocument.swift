// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A metadata document that was parsed but not verified; its content cannot be reached.
package struct SignedDocument<Content: RoleMetadata>: Sendable {
    /// The text as received.
    package let bytes: [UInt8]
    let content: Content
    let signatures: [KeyID: [UInt8]]
    /// The object that is signed, with members that this program does not know.
    let signed: JSONValue
    /// The bytes that are signed.
    let message: [UInt8]

    /// Parses a document.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code or `trust.malformed`, also when two
    ///   signatures have the same key identifier.
    package init(parsing bytes: [UInt8]) throws(ZooError) {
        self.bytes = bytes
        let limits = JSONValue.Limits(bytes: MetadataLimits.largestDocument)
        let document = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        var signatures: [KeyID: [UInt8]] = [:]
        for signature in try document.objects("signatures", maximum: 1024) {
            let id = KeyID(try signature.text("keyid", maximum: 256))
            // Text that is not hexadecimal is a signature that never verifies.
            let value = [UInt8](hexadecimal: try signature.text("sig", maximum: 8192)) ?? []
            guard signatures.updateValue(value, forKey: id) == nil else {
                throw signature.invalid("keyid", "repeats '\(id)'")
            }
        }
        self.signatures = signatures
        let signed = try document.object("signed")
        content = try Content(signed)
        self.signed = .object(signed.members)
        message = try self.signed.canonicalTUF()
    }

    /// Verifies the signatures.
    ///
    /// - Parameters:
    ///   - role: the role of the document.
    ///   - keys: the keys that may sign it.
    /// - Returns: the content, which can be reached from here on.
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`.
    package func verified(
        as role: RoleName,
        by keys: RoleKeys
    ) throws(ZooError) -> Verified<Content> {
        try keys.require(
            signatures,
            over: message,
            of: "version \(content.header.version) of the metadata '\(role)'"
        )
        return Verified(role: role, content: content, bytes: bytes)
    }
}

extension SignedDocument where Content == RootMetadata {
    /// Verifies root metadata with the keys that it lists itself.
    ///
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`.
    func verifiedByItself() throws(ZooError) -> Verified<RootMetadata> {
        try verified(as: .root, by: content.root)
    }
}

/// Metadata whose signatures were verified.
///
/// There is no other way to make one. It may be expired: the steps of the workflow check that.
package struct Verified<Content: RoleMetadata>: Sendable {
    /// The role whose keys signed.
    package let role: RoleName
    /// The content.
    package let content: Content
    /// The document as received.
    package let bytes: [UInt8]

    fileprivate init(role: RoleName, content: Content, bytes: [UInt8]) {
        self.role = role
        self.content = content
        self.bytes = bytes
    }

    /// The version.
    package var version: Int { content.header.version }

    /// Checks that the metadata is not expired.
    ///
    /// - Throws: ``ZooError`` with code `trust.expired`.
    package func requireCurrent(at now: Timestamp) throws(ZooError) {
        guard now < content.header.expires else {
            throw ZooError(
                .trustExpired,
                "version \(version) of the metadata '\(role)' expired at "
                    + "\(content.header.expires); the time is \(now)",
                remedy: "check this machine's clock; if it is right, ask the registry's owner to "
                    + "renew the metadata"
            )
        }
    }
}
