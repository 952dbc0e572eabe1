// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The keys that may sign a role, and how many of them must.
package struct RoleKeys: Hashable, Sendable {
    /// The number of different keys that must sign, at least 1.
    package let threshold: Int
    /// The keys by identifier.
    package let keys: [KeyID: VerificationKey]
    /// The listed keys that never count: missing, malformed, or with an unsupported scheme.
    package let unusable: Set<KeyID>

    /// Creates an authorisation.
    package init(threshold: Int, keys: [KeyID: VerificationKey], unusable: Set<KeyID> = []) {
        self.threshold = threshold
        self.keys = keys
        self.unusable = unusable
    }

    /// Reads `keyids` and `threshold` of a role (specification 4.3 and 4.5).
    ///
    /// - Parameters:
    ///   - role: the object with the two fields.
    ///   - known: the keys of the document.
    /// - Throws: ``ZooError`` with code `format.field-invalid`, also for a repeated identifier.
    init(_ role: JSONObject, known: [KeyID: VerificationKey]) throws(ZooError) {
        let threshold = try role.integer("threshold", in: 1...JSONValue.largestInteger)
        var keys: [KeyID: VerificationKey] = [:]
        var unusable: Set<KeyID> = []
        for (position, text) in try role.strings("keyids", maximum: Self.limit).enumerated() {
            let id = KeyID(text)
            guard keys[id] == nil, !unusable.contains(id) else {
                throw role.invalid("keyids[\(position)]", "repeats '\(id)'")
            }
            if let key = known[id] { keys[id] = key } else { unusable.insert(id) }
        }
        self.init(threshold: threshold, keys: keys, unusable: unusable)
    }

    /// Reads the usable keys of the field `keys` of a document.
    ///
    /// A key that cannot be read is left out and therefore never counts: a document may list keys
    /// of schemes that only other clients support.
    static func known(in document: JSONObject) throws(ZooError) -> [KeyID: VerificationKey] {
        var known: [KeyID: VerificationKey] = [:]
        let listed = try document.mapMembers("keys") { _, object in
            try? VerificationKey(tuf: object)
        }
        for (name, key) in listed { known[KeyID(name)] = key }
        return known
    }

    /// The largest number of keys of one role.
    static let limit = 256

    /// Checks that enough different keys signed a message.
    ///
    /// A key counts once, under however many identifiers it is listed. Signatures that are invalid
    /// or from other keys are ignored.
    ///
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`.
    func require(
        _ signatures: [KeyID: [UInt8]],
        over message: [UInt8],
        of document: String
    ) throws(ZooError) {
        let signers = signers(signatures, over: message)
        guard signers.count >= threshold else {
            let unread = unusable.isEmpty ? "" : "; \(unusable.count) listed keys cannot be used"
            throw ZooError(
                .trustSignatures,
                "\(document) has valid signatures of \(signers.count) keys, and needs \(threshold)"
                    + unread,
                remedy: "do not use this registry's content; report it to the registry's owner"
            )
        }
    }
    /// The different keys of the role with a valid signature over a message.
    func signers(
        _ signatures: [KeyID: [UInt8]],
        over message: [UInt8]
    ) -> Set<VerificationKey> {
        var signers: Set<VerificationKey> = []
        for (id, signature) in signatures {
            guard let key = keys[id], !signers.contains(key),
                key.isValid(signature, for: message)
            else { continue }
            signers.insert(key)
        }
        return signers
    }
}
