// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension JSONValue {
    /// The canonical form of this value: RFC 8785 (JSON Canonicalization Scheme).
    ///
    /// It has no white space, names ordered by UTF-16 code units, numbers as ECMAScript prints them,
    /// and only the required escapes. Equal values have equal bytes.
    public var canonicalBytes: [UInt8] {
        var writer = CanonicalWriter()
        writer.write(self)
        return writer.bytes
    }

    /// Parses a stored document, which must already be in canonical form.
    ///
    /// - Throws: ``ZooError`` with code `json.malformed`, `json.too-large` or `json.not-canonical`.
    public init(canonical bytes: [UInt8], limits: Limits = Limits()) throws(ZooError) {
        try self.init(parsing: bytes, limits: limits)
        let canonical = canonicalBytes
        guard canonical == bytes else {
            let offset =
                zip(canonical, bytes).enumerated().first { $1.0 != $1.1 }?.offset
                ?? min(canonical.count, bytes.count)
            throw ZooError(
                .jsonNotCanonical,
                "the document is not canonical JSON: it differs from RFC 8785 at byte \(offset)",
                remedy: "store the document as RFC 8785 text"
            )
        }
    }

    /// The value as indented text: two spaces, sorted names, a final newline.
    public var prettyText: String {
        var writer = CanonicalWriter(indents: true)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}

private struct CanonicalWriter {
    var bytes: [UInt8] = []
    var indents = false
    var depth = 0

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): append(ECMAScriptNumber.text(of: value))
        case .string(let value): write(value)
        case .array(let elements):
            list("[", "]", elements) { $0.write($1) }
        case .object(let members):
            let ordered = members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
            list("{", "}", ordered) { writer, member in
                writer.write(member.key)
                writer.append(writer.indents ? ": " : ":")
                writer.write(member.value)
            }
        }
    }

    private mutating func list<Element>(
        _ open: String,
        _ close: String,
        _ elements: [Element],
        _ each: (inout CanonicalWriter, Element) -> Void
    ) {
        append(open)
        depth += 1
        for (position, element) in elements.enumerated() {
            if position > 0 { append(",") }
            newline()
            each(&self, element)
        }
        depth -= 1
        if !elements.isEmpty { newline() }
        append(close)
    }

    private mutating func newline() {
        if indents { append("\n" + String(repeating: "  ", count: depth)) }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func write(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x08: append("\\b")
            case 0x09: append("\\t")
            case 0x0A: append("\\n")
            case 0x0C: append("\\f")
            case 0x0D: append("\\r")
            case ..<0x20: append("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// `Number::toString` of ECMA-262, as RFC 8785 section 3.2.2.3 requires.
enum ECMAScriptNumber {
    /// The shortest decimal text that round-trips to `value`, in ECMAScript notation.
    static func text(of value: Double) -> String {
        precondition(value.isFinite, "JSON has no text for \(value)")
        if value == 0 { return "0" }
        if value < 0 { return "-" + text(of: -value) }
        let (digits, point) = shortestDigits(of: value)
        let count = digits.count
        if count <= point, point <= 21 {
            return digits + String(repeating: "0", count: point - count)
        }
        if point > 0, point <= 21 {
            return digits.prefix(point) + "." + digits.dropFirst(point)
        }
        if point > -6, point <= 0 {
            return "0." + String(repeating: "0", count: -point) + digits
        }
        let exponent = point - 1
        let mantissa = count == 1 ? digits : digits.prefix(1) + "." + digits.dropFirst(1)
        return "\(mantissa)e\(exponent < 0 ? "-" : "+")\(abs(exponent))"
    }

    /// The digits of the shortest representation, without leading or trailing zeros, and the
    /// position of the decimal point relative to their start.
    ///
    /// Swift's `description` is the shortest text that round-trips (SwiftDtoa); only its notation
    /// differs from ECMAScript's.
    private static func shortestDigits(of value: Double) -> (digits: String, point: Int) {
        let parts = value.description.split(separator: "e")
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        let all = mantissa[0] + fraction
        let leading = all.prefix { $0 == "0" }.count
        var digits = String(all.dropFirst(leading))
        while digits.hasSuffix("0") { digits.removeLast() }
        return (digits, mantissa[0].count + exponent - leading)
    }
}
