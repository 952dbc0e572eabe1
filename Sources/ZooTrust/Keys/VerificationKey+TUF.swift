// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension VerificationKey {
    /// Reads a key of TUF metadata: `keytype`, `scheme` and `keyval.public` (specification 4.2.1).
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed` or `format.field-invalid`, also for a
    ///   scheme that this program does not support.
    package init(tuf key: JSONObject) throws(ZooError) {
        let scheme = try key.text("scheme", maximum: 64)
        let type = try key.text("keytype", maximum: 64)
        let value = try key.object("keyval").text("public", maximum: 16_384)
        // Repositories made before specification 1.0.26 repeat the scheme as the key type.
        switch (type, Algorithm(rawValue: scheme)) {
        case ("ed25519", .ed25519):
            guard let bytes = [UInt8](hexadecimal: value) else {
                throw .malformed("an Ed25519 key", "is not hexadecimal")
            }
            try self.init(ed25519: bytes)
        case ("ecdsa", .ecdsaP256?), ("ecdsa-sha2-nistp256", .ecdsaP256?):
            try self.init(pem: value, algorithm: .ecdsaP256)
        case ("ecdsa", .ecdsaP384?), ("ecdsa-sha2-nistp384", .ecdsaP384?):
            try self.init(pem: value, algorithm: .ecdsaP384)
        case ("rsa", .rsaPSS?):
            try self.init(pem: value, algorithm: .rsaPSS)
        default:
            throw .malformed("a key", "has type '\(type)' and scheme '\(scheme)', not supported")
        }
    }
}
