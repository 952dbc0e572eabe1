// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Fields of JSON objects")
struct JSONObjectTests {
    private let object: JSONObject

    init() throws {
        object = try JSONObject([
            "text": "x", "list": [1, .number(2.5), "a"], "nested": ["deep": [["leaf": 5]]],
            "count": 7,
            "ratio": .number(0.5), "null": .null,
        ])
    }

    @Test("an error names the field by its whole path")
    func errorsNameTheField() throws {
        let leaf = try object.object("nested").objects("deep", maximum: 1)[0]
        let error = #expect(throws: ZooError.self) { try leaf.string("leaf") }
        #expect(error?.code == .fieldInvalid)
        #expect(error?.message.contains("'nested.deep[0].leaf'") == true)
        let element = #expect(throws: ZooError.self) { try object.strings("list", maximum: 9) }
        #expect(element?.code == .fieldInvalid)
        #expect(element?.message.contains("'list[0]'") == true)
    }

    @Test("null counts as a value: an optional field is absent or right")
    func nullIsNotAbsent() throws {
        #expect(try object.optionalString("absent") == nil)
        #expect(try object.optionalInteger("absent", in: 0...9) == nil)
        #expect(try object.optionalObject("absent") == nil)
        #expect(throws: ZooError(.fieldInvalid, "")) { try object.optionalString("null") }
        #expect(throws: ZooError(.fieldInvalid, "")) { try object.optionalObject("null") }
    }

    @Test("an integer is also a number, and a number is not an integer")
    func numbers() throws {
        #expect(try object.number("count") == 7)
        #expect(try object.number("ratio") == 0.5)
        #expect(throws: ZooError(.fieldInvalid, "")) { try object.integer("ratio", in: 0...9) }
        #expect(throws: ZooError(.fieldInvalid, "")) { try object.integer("count", in: 0...6) }
        #expect(throws: ZooError(.fieldInvalid, "")) { try object.number("text") }
    }

    @Test("text for people has the members in order and reads back as the same value")
    func prettyText() throws {
        let value: JSONValue = ["b": [1, [:]], "a": "x\n"]
        #expect(value.prettyText == "{\n  \"a\": \"x\\n\",\n  \"b\": [\n    1,\n    {}\n  ]\n}\n")
        #expect(try JSONValue(parsing: Array(value.prettyText.utf8)) == value)
    }

    @Test("limits are those that the caller gives")
    func limits() throws {
        let text = Array("[[1,2]]".utf8)
        _ = try JSONValue(parsing: text, limits: .init(bytes: 7, depth: 2, values: 4))
        for limits in [
            JSONValue.Limits(bytes: 6), .init(depth: 1), .init(values: 3),
        ] {
            #expect(throws: ZooError(.jsonTooLarge, "")) {
                try JSONValue(parsing: text, limits: limits)
            }
        }
    }

    @Test("values made at random are read back from their canonical form")
    func roundTrips() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let value = Self.value(depth: 4, using: &random)
            let bytes = value.canonicalBytes
            let read = try JSONValue(canonical: bytes)
            #expect(read.canonicalBytes == bytes)
            #expect(try JSONValue(parsing: Array(value.prettyText.utf8)).canonicalBytes == bytes)
        }
    }

    /// Numbers of 2^53 up to 1e21 have a canonical form that readers refuse, so none is made.
    private static func value(depth: Int, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2:
            .integer(
                Int.random(in: -JSONValue.largestInteger...JSONValue.largestInteger, using: &random)
            )
        case 3: .number(Double.random(in: -1...1, using: &random))
        case 4: .string(text(using: &random))
        case 5:
            .array(
                (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                    value(depth: depth - 1, using: &random)
                }
            )
        default:
            .object(
                Dictionary(
                    (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                        (text(using: &random), value(depth: depth - 1, using: &random))
                    },
                    uniquingKeysWith: { first, _ in first }
                )
            )
        }
    }

    private static func text(using random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            let largest: UInt32 = [0x7F, 0xFFFF, 0x10_FFFF].randomElement(using: &random) ?? 0x7F
            let scalar = Unicode.Scalar(UInt32.random(in: 0...largest, using: &random))
            text.unicodeScalars.append(scalar ?? "x")
        }
        return text
    }

    @Test func controlCharactersAreThoseOfTheUnicodeDatabase() {
        let scalars = (0...UInt32(0x10FFFF)).compactMap(Unicode.Scalar.init)
        let differing = scalars.filter {
            $0.isControl != ($0.properties.generalCategory == .control)
        }
        #expect(differing.isEmpty)
    }
}
