// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto
internal import ZooCore

/// The hashes of a file by algorithm, at least one of which is known.
package struct ContentHashes: Hashable, Sendable {
    let sha256: [UInt8]?
    let sha512: [UInt8]?

    /// Reads an object of hexadecimal hashes by algorithm; unknown algorithms are ignored.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`, also when no algorithm is known.
    init(_ object: JSONObject) throws(ZooError) {
        func hash(_ name: String, _ size: Int) throws(ZooError) -> [UInt8]? {
            guard object.value(name) != nil else { return nil }
            let text = try object.text(name, maximum: 2 * size)
            guard let bytes = [UInt8](hexadecimal: text), bytes.count == size else {
                throw object.invalid(name, "must have \(2 * size) hexadecimal digits")
            }
            return bytes
        }
        sha256 = try hash("sha256", 32)
        sha512 = try hash("sha512", 64)
        guard sha256 != nil || sha512 != nil else {
            throw ZooError(
                .fieldInvalid,
                "field '\(object.path)' has neither a SHA-256 nor a SHA-512 hash",
                remedy: "report it to the registry's owner"
            )
        }
    }

    /// The hash that names the file: SHA-256 if it is said, else SHA-512; hexadecimal.
    var preferred: String { (sha256 ?? sha512 ?? []).hexadecimal }

    /// Checks every known hash.
    ///
    /// - Throws: ``ZooError`` with code `trust.content-mismatch`.
    func require(_ bytes: [UInt8], of file: String) throws(ZooError) {
        if let sha256 { try Self.require(Array(SHA256.hash(data: bytes)), sha256, "SHA-256", file) }
        if let sha512 { try Self.require(Array(SHA512.hash(data: bytes)), sha512, "SHA-512", file) }
    }

    private static func require(
        _ found: [UInt8],
        _ expected: [UInt8],
        _ algorithm: String,
        _ file: String
    ) throws(ZooError) {
        guard found == expected else {
            throw ZooError(
                .trustContent,
                "\(file) has the \(algorithm) \(found.hexadecimal); \(expected.hexadecimal) is "
                    + "signed",
                remedy: "run the command again; if the error persists, report it to the registry's "
                    + "owner"
            )
        }
    }
}
