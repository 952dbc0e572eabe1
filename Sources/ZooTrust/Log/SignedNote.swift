// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooCore

/// A text with signatures: C2SP signed-note.
///
/// Nothing in it is trusted before a signature is verified (``NoteVerifier``).
package struct SignedNote: Sendable, Equatable {
    /// A signature by some key.
    package struct Signature: Sendable, Equatable {
        /// The name of the key.
        package let name: String
        /// The ID of the key: its first four bytes, from the most significant.
        package let keyID: UInt32
        /// The signature.
        package let bytes: [UInt8]
    }

    /// The signatures that a note may have.
    private static let most = 100
    /// Em dash, space.
    private static let mark = Array("\u{2014} ".utf8)
    private static let lineBreak = UInt8(ascii: "\n")

    /// The text, which ends with a line break.
    package let text: [UInt8]
    /// The signatures, at least one.
    package let signatures: [Signature]

    /// Creates a note.
    init(text: [UInt8], signatures: [Signature]) {
        self.text = text
        self.signatures = signatures
    }

    /// Parses a note.
    ///
    /// - Throws: ``ZooError`` with code `log.malformed`.
    package init(parsing bytes: [UInt8]) throws(ZooError) {
        guard String(validating: bytes, as: UTF8.self) != nil,
            bytes.allSatisfy({ $0 >= 0x20 || $0 == Self.lineBreak })
        else {
            throw Self.malformed("has bytes that are not UTF-8, or control characters")
        }
        // The last empty line: the text may have empty lines itself.
        guard bytes.count >= 2, bytes.last == Self.lineBreak,
            let end = bytes.indices.dropFirst().last(where: {
                bytes[$0] == Self.lineBreak && bytes[$0 - 1] == Self.lineBreak
            }), end + 1 < bytes.count
        else { throw Self.malformed("has no signatures after an empty line") }
        text = Array(bytes[..<end])
        var signatures: [Signature] = []
        for line in bytes[(end + 1)...].dropLast()
            .split(separator: Self.lineBreak, omittingEmptySubsequences: false)
        {
            guard signatures.count < Self.most else {
                throw Self.malformed("has more than \(Self.most) signatures")
            }
            signatures.append(try Self.signature(Array(line)))
        }
        self.signatures = signatures
    }

    private static func signature(_ line: [UInt8]) throws(ZooError) -> Signature {
        let parts = line.dropFirst(mark.count).split(
            separator: UInt8(ascii: " "),
            omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        guard line.starts(with: mark), parts.count == 2, isName(parts[0]),
            let bytes = [UInt8](strictBase64: parts[1]), bytes.count > 4
        else { throw malformed("has a line that is not a signature") }
        return Signature(
            name: parts[0],
            keyID: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            bytes: Array(bytes.dropFirst(4))
        )
    }

    /// The stored form.
    package var bytes: [UInt8] {
        text + [Self.lineBreak]
            + signatures.flatMap { signature in
                let id = (0..<4).map { UInt8(truncatingIfNeeded: signature.keyID >> (24 - 8 * $0)) }
                let encoded = Data(id + signature.bytes).base64EncodedString()
                return Self.mark + Array("\(signature.name) \(encoded)\n".utf8)
            }
    }

    /// Whether a text can be the name of a key: not empty, no white space, no plus.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.unicodeScalars.allSatisfy { scalar in
                !scalar.properties.isWhitespace && scalar != "+" && scalar.value >= 0x20
            }
    }

    private static func malformed(_ problem: String) -> ZooError {
        .malformedLog("the signed note", problem)
    }
}

extension Array where Element == UInt8 {
    /// Decodes canonical base64 (RFC 4648 section 4) with padding; nil for any other text.
    init?(strictBase64 text: String) {
        guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else {
            return nil
        }
        self = Array(data)
    }
}
