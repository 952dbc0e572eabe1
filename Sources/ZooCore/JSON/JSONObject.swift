// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A reader of one JSON object: typed access to fields, with the field path in errors.
///
/// Unknown fields are ignored, as every format of this project requires.
public struct JSONObject: Sendable {
    /// The path of the object in its document, such as `files[3]`; empty at the top level.
    public let path: String
    /// The parsed members.
    public let members: [String: JSONValue]

    /// Reads `value` as an object.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid` when it is not an object.
    public init(_ value: JSONValue, at path: String = "") throws(ZooError) {
        guard case .object(let members) = value else {
            throw Self.invalid(path.isEmpty ? "the document" : path, "must be an object")
        }
        self.members = members
        self.path = path
    }

    /// The path of a member of this object.
    public func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The error for a field that violates `rule`.
    public func invalid(_ name: String, _ rule: String) -> ZooError {
        Self.invalid(path(of: name), rule)
    }

    static func invalid(_ path: String, _ rule: String) -> ZooError {
        ZooError(.fieldInvalid, "field '\(path)' \(rule)")
    }

    /// The members that are not in `known`, such as those of a later format version.
    public func members(besides known: Set<String>) -> [String: JSONValue] {
        members.filter { !known.contains($0.key) }
    }

    /// A member, or nil when it is absent; `null` counts as a value.
    public func value(_ name: String) -> JSONValue? { members.value(ofExactly: name) }

    /// A required member.
    public func required(_ name: String) throws(ZooError) -> JSONValue {
        guard let value = value(name) else { throw invalid(name, "is missing") }
        return value
    }

    /// A string of 1 to `maximum` UTF-8 bytes without control characters.
    public func string(_ name: String, maximum: Int = 256) throws(ZooError) -> String {
        guard case .string(let text) = try required(name) else {
            throw invalid(name, "must be a string")
        }
        guard !text.isEmpty, text.utf8.count <= maximum else {
            throw invalid(name, "has \(text.utf8.count) bytes, and must have 1 to \(maximum)")
        }
        guard !text.unicodeScalars.contains(where: \.isControl) else {
            throw invalid(name, "contains a control character")
        }
        return text
    }

    /// A string, or nil when the member is absent.
    public func optionalString(_ name: String, maximum: Int = 256) throws(ZooError) -> String? {
        value(name) == nil ? nil : try string(name, maximum: maximum)
    }

    /// A string that is a raw value of `type`.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String,
        of type: Choice.Type
    ) throws(ZooError) -> Choice where Choice.RawValue == String {
        let text = try string(name)
        guard let choice = Choice(rawValue: text) else {
            let all = Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw invalid(name, "is '\(text)', and must be one of \(all)")
        }
        return choice
    }

    /// An integer in a range.
    public func integer(_ name: String, in range: ClosedRange<Int>) throws(ZooError) -> Int {
        guard case .integer(let value) = try required(name) else {
            throw invalid(name, "must be an integer")
        }
        guard range.contains(value) else {
            throw invalid(
                name,
                "is \(value), and must be \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// An integer in a range, or nil when the member is absent.
    public func optionalInteger(
        _ name: String,
        in range: ClosedRange<Int>
    ) throws(ZooError) -> Int? {
        value(name) == nil ? nil : try integer(name, in: range)
    }

    /// A number, with or without a fraction.
    public func number(_ name: String) throws(ZooError) -> Double {
        switch try required(name) {
        case .integer(let value): return Double(value)
        case .number(let value): return value
        default: throw invalid(name, "must be a number")
        }
    }

    /// The elements of an array of at most `maximum` elements.
    public func array(_ name: String, maximum: Int) throws(ZooError) -> [JSONValue] {
        guard case .array(let elements) = try required(name) else {
            throw invalid(name, "must be an array")
        }
        guard elements.count <= maximum else {
            throw invalid(name, "has \(elements.count) elements; the limit is \(maximum)")
        }
        return elements
    }

    /// An array of strings.
    public func strings(
        _ name: String,
        maximum: Int,
        each: Int = 256
    ) throws(ZooError) -> [String] {
        var strings: [String] = []
        for (position, element) in try array(name, maximum: maximum).enumerated() {
            let element = try JSONObject(.object(["": element]), at: "")
            do {
                strings.append(try element.string("", maximum: each))
            } catch {
                throw invalid("\(name)[\(position)]", "must be a string of 1 to \(each) bytes")
            }
        }
        return strings
    }

    /// An array of numbers.
    public func numbers(_ name: String, maximum: Int) throws(ZooError) -> [Double] {
        var numbers: [Double] = []
        for (position, element) in try array(name, maximum: maximum).enumerated() {
            switch element {
            case .integer(let value): numbers.append(Double(value))
            case .number(let value): numbers.append(value)
            default: throw invalid("\(name)[\(position)]", "must be a number")
            }
        }
        return numbers
    }

    /// An array of integers in a range.
    public func integers(
        _ name: String,
        in range: ClosedRange<Int>,
        maximum: Int
    ) throws(ZooError) -> [Int] {
        var integers: [Int] = []
        for (position, element) in try array(name, maximum: maximum).enumerated() {
            guard case .integer(let value) = element, range.contains(value) else {
                throw invalid(
                    "\(name)[\(position)]",
                    "must be an integer from \(range.lowerBound) to \(range.upperBound)"
                )
            }
            integers.append(value)
        }
        return integers
    }

    /// A member that is an object.
    public func object(_ name: String) throws(ZooError) -> JSONObject {
        try JSONObject(try required(name), at: path(of: name))
    }

    /// A member that is an object, or nil when it is absent.
    public func optionalObject(_ name: String) throws(ZooError) -> JSONObject? {
        value(name) == nil ? nil : try object(name)
    }

    /// An array of objects.
    public func objects(_ name: String, maximum: Int) throws(ZooError) -> [JSONObject] {
        var objects: [JSONObject] = []
        for (position, element) in try array(name, maximum: maximum).enumerated() {
            objects.append(try JSONObject(element, at: "\(path(of: name))[\(position)]"))
        }
        return objects
    }

    /// A digest.
    public func digest(_ name: String) throws(ZooError) -> ContentDigest {
        let text = try string(name)
        do {
            return try ContentDigest(parsing: text)
        } catch {
            throw invalid(name, "is '\(text)', and must be 'sha256:' and 64 hexadecimal digits")
        }
    }

    /// A size in bytes.
    public func size(_ name: String) throws(ZooError) -> Int {
        try integer(name, in: 0...FormatLimits.largestFile)
    }

    /// Checks the document's declared format, such as `ami-zoo.release/1`.
    ///
    /// - Throws: ``ZooError`` with code `format.unknown`.
    public func requireFormat(_ format: String) throws(ZooError) {
        let found = try string("format")
        guard found == format else {
            throw ZooError(
                .formatUnknown,
                "the document declares format '\(found)'; this program reads '\(format)'",
                remedy: "update ami-zoo"
            )
        }
    }
}
