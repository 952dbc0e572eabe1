// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The credentials in the `Authorization` header of a request.
package enum RequestCredentials: Sendable, Equatable {
    /// `Bearer TOKEN`.
    case bearer(String)
    /// `Basic BASE64(user:password)`; the password is a token.
    case basic(user: String, password: String)

    /// Parses the value of an `Authorization` header; nil for other schemes and malformed values.
    ///
    /// Source: RFC 6750 section 2.1, RFC 7617 section 2.
    package init?(parsing header: String) {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let value = parts[1].drop { $0 == " " }
        switch parts[0].lowercased() {
        case "bearer":
            guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                return nil
            }
            self = .bearer(String(value))
        case "basic":
            guard let bytes = base64Decoded(value),
                let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else { return nil }
            self = .basic(
                user: String(text[..<colon]),
                password: String(text[text.index(after: colon)...])
            )
        default: return nil
        }
    }
}

/// Decodes base64 with padding (RFC 4648 section 4); nil for other text.
private func base64Decoded(_ text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 4), !digits.isEmpty else { return nil }
    let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
    var bytes: [UInt8] = []
    var (buffer, bits) = (UInt32(0), 0)
    for digit in digits.dropLast(padding) {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        default: return nil
        }
        buffer = (buffer << 6 | UInt32(value)) & 0xff_ffff
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
        }
    }
    return bytes
}
