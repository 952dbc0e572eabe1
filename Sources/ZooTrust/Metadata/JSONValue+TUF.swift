// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension JSONValue {
    /// The canonical form over which TUF signatures are made: OLPC canonical JSON.
    ///
    /// Names are ordered by code point, there is no white space, only `"` and `\` are escaped, and
    /// numbers are integers. Source: specification section 4.1.
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed` for a number with a fraction or exponent.
    package func canonicalTUF() throws(ZooError) -> [UInt8] {
        var bytes: [UInt8] = []
        try appendTUF(to: &bytes)
        return bytes
    }

    private func appendTUF(to bytes: inout [UInt8]) throws(ZooError) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += String(value).utf8
        case .number(let value):
            throw .malformed("signed metadata", "contains \(value), which is not an integer")
        case .string(let text): Self.appendTUF(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                try element.appendTUF(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            // The order of UTF-8 bytes is the order of code points.
            let names = members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for (position, name) in names.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.appendTUF(name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try members[name]?.appendTUF(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func appendTUF(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(UInt8(ascii: "\\"))
            }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension JSONObject {
    /// A string of at most `maximum` UTF-8 bytes, which may be empty and contain any character.
    func text(_ name: String, maximum: Int) throws(ZooError) -> String {
        guard case .string(let text) = try required(name) else {
            throw invalid(name, "must be a string")
        }
        guard text.utf8.count <= maximum else {
            throw invalid(name, "has \(text.utf8.count) bytes, and must have at most \(maximum)")
        }
        return text
    }

    /// A Boolean, or nil when the member is absent.
    func optionalBool(_ name: String) throws(ZooError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let value) = value else { throw invalid(name, "must be true or false") }
        return value
    }

    /// Reads every member with its name.
    func mapMembers<Element>(
        _ name: String,
        _ read: (_ name: String, _ value: JSONObject) throws(ZooError) -> Element
    ) throws(ZooError) -> [(name: String, element: Element)] {
        let object = try object(name)
        var elements: [(name: String, element: Element)] = []
        for (name, value) in object.members {
            let value = try JSONObject(value, at: object.path(of: name))
            elements.append((name, try read(name, value)))
        }
        return elements
    }
}
