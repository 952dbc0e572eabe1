// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension JSONValue {
    /// Limits on the resources that parsing a document may use.
    public struct Limits: Sendable {
        /// The maximum size of the text in bytes.
        public var bytes: Int
        /// The maximum nesting depth of arrays and objects.
        public var depth: Int
        /// The maximum number of values of any kind.
        public var values: Int

        /// Limits for a document of at most `bytes` bytes.
        public init(bytes: Int = 4 << 20, depth: Int = 32, values: Int = 1 << 20) {
            self.bytes = bytes
            self.depth = depth
            self.values = values
        }
    }

    /// Parses a whole document strictly: RFC 8259, no duplicate names at any level, no byte order
    /// mark, well-formed UTF-8, integers within ±(2^53 − 1), finite numbers.
    ///
    /// - Parameters:
    ///   - text: the UTF-8 text of the document.
    ///   - limits: the maximum size, depth and number of values.
    /// - Throws: ``ZooError`` with code `json.malformed` (and the byte offset) or `json.too-large`.
    public init(parsing text: [UInt8], limits: Limits = Limits()) throws(ZooError) {
        guard text.count <= limits.bytes else {
            throw ZooError(
                .jsonTooLarge,
                "the document has \(text.count) bytes; the limit is \(limits.bytes)"
            )
        }
        var parser = JSONParser(text: text, limits: limits)
        self = try parser.document()
    }
}

/// A recursive-descent parser over bytes in memory with limits on depth and number of values.
private struct JSONParser {
    let text: [UInt8]
    let limits: JSONValue.Limits
    var position = 0
    var depth = 0
    var values = 0

    init(text: [UInt8], limits: JSONValue.Limits) {
        self.text = text
        self.limits = limits
    }

    var next: UInt8? { position < text.count ? text[position] : nil }

    func malformed(_ what: String) -> ZooError {
        ZooError(.jsonMalformed, "not valid JSON at byte \(position): \(what)")
    }

    mutating func document() throws(ZooError) -> JSONValue {
        skipSpace()
        let value = try self.value()
        skipSpace()
        guard position == text.count else { throw malformed("text after the end of the document") }
        return value
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    mutating func value() throws(ZooError) -> JSONValue {
        values += 1
        guard values <= limits.values else {
            throw ZooError(.jsonTooLarge, "the document holds more than \(limits.values) values")
        }
        guard let first = next else {
            throw malformed("expected a value, found the end of the text")
        }
        switch first {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw malformed("expected a value")
        }
    }

    mutating func literal(_ word: String, _ value: JSONValue) throws(ZooError) -> JSONValue {
        for byte in word.utf8 {
            guard next == byte else { throw malformed("expected '\(word)'") }
            position += 1
        }
        return value
    }

    mutating func enter() throws(ZooError) {
        depth += 1
        guard depth <= limits.depth else {
            throw ZooError(.jsonTooLarge, "the document nests deeper than \(limits.depth) levels")
        }
        position += 1
        skipSpace()
    }

    mutating func object() throws(ZooError) -> JSONValue {
        try enter()
        var members: [String: JSONValue] = [:]
        if next != UInt8(ascii: "}") {
            while true {
                guard next == UInt8(ascii: "\"") else { throw malformed("expected a name") }
                let name = try string()
                skipSpace()
                guard next == UInt8(ascii: ":") else { throw malformed("expected ':'") }
                position += 1
                skipSpace()
                let member = try value()
                guard members.updateValue(member, forKey: name) == nil else {
                    throw ZooError(
                        .jsonDuplicateName,
                        "at byte \(position), the name '\(name.prefix(80))' appears twice, or a "
                            + "canonically equivalent name appears before it"
                    )
                }
                skipSpace()
                guard next == UInt8(ascii: ",") else { break }
                position += 1
                skipSpace()
            }
        }
        guard next == UInt8(ascii: "}") else { throw malformed("expected ',' or '}'") }
        position += 1
        depth -= 1
        return .object(members)
    }

    mutating func array() throws(ZooError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if next != UInt8(ascii: "]") {
            while true {
                elements.append(try value())
                skipSpace()
                guard next == UInt8(ascii: ",") else { break }
                position += 1
                skipSpace()
            }
        }
        guard next == UInt8(ascii: "]") else { throw malformed("expected ',' or ']'") }
        position += 1
        depth -= 1
        return .array(elements)
    }

    mutating func digits() throws(ZooError) {
        let start = position
        while let byte = next, byte >= 0x30, byte <= 0x39 { position += 1 }
        guard position > start else { throw malformed("expected a digit") }
    }

    mutating func number() throws(ZooError) -> JSONValue {
        let start = position
        var isInteger = true
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if next == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let digits = String(decoding: text[start..<position], as: UTF8.self)
        guard isInteger else {
            guard let value = Double(digits), value.isFinite else {
                throw malformed("the number \(digits.prefix(40)) is out of range")
            }
            return .number(value)
        }
        guard let value = Int(digits), value.magnitude <= UInt(JSONValue.largestInteger) else {
            throw malformed("the integer \(digits.prefix(40)) is beyond 2^53 - 1")
        }
        return .integer(value)
    }

    mutating func string() throws(ZooError) -> String {
        position += 1
        var bytes: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw malformed("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                position += 1
                bytes.append(contentsOf: try escape())
            case ..<0x20: throw malformed("a control character inside a string")
            default:
                let start = position
                while let byte = next, Self.isPlain(byte) { position += 1 }
                bytes.append(contentsOf: text[start..<position])
            }
        }
        throw malformed("the text ends inside a string")
    }

    /// Whether a byte of a string is a literal: no quote, escape or control character.
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    mutating func escape() throws(ZooError) -> [UInt8] {
        guard let byte = next else { throw malformed("the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexQuad()
            if (0xD800..<0xDC00).contains(code) {
                guard next == UInt8(ascii: "\\") else { throw malformed("a lone surrogate") }
                position += 1
                guard next == UInt8(ascii: "u") else { throw malformed("a lone surrogate") }
                position += 1
                let low = try hexQuad()
                guard (0xDC00..<0xE000).contains(low) else { throw malformed("a lone surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("a lone surrogate") }
            return Array(String(Character(scalar)).utf8)
        default: throw malformed("unknown escape")
        }
    }

    mutating func hexQuad() throws(ZooError) -> UInt32 {
        guard position + 4 <= text.count else { throw malformed("the text ends inside a string") }
        var code: UInt32 = 0
        for byte in text[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("'\\u' needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }
}
