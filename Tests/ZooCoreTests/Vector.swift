// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

/// One conformance vector; `Tests/Vectors/registry/README.md` describes the files.
struct Vector: Sendable, CustomTestStringConvertible {
    let label: String
    /// The code with which a reader refuses the document; nil when it must accept it.
    let code: String?
    /// The members as they stand in the file.
    private let object: JSONObject

    var testDescription: String { "\(code ?? "accept") \(label)" }

    /// The vectors of one kind.
    static func all(_ kind: String) -> [Vector] {
        do {
            let file = folder.appending(path: "\(kind).json")
            let object = try JSONObject(
                try JSONValue(parsing: Array(try Data(contentsOf: file)))
            )
            return try object.objects("vectors", maximum: 10_000).map(Vector.init)
        } catch {
            fatalError("the vectors of kind '\(kind)' cannot be read: \(error)")
        }
    }

    /// The folder of vector files, found from this source file.
    static let folder = repository.appending(path: "Tests/Vectors/registry")

    /// The top of the repository.
    static let repository = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private init(_ object: JSONObject) throws {
        self.object = object
        label = try object.string("label")
        switch try object.required("expect") {
        case "accept": code = nil
        case let refusal: code = try JSONObject(refusal).string("code")
        }
    }

    /// The document as a value.
    func document() throws -> JSONValue { try object.required("document") }

    /// The document as text.
    func text() throws -> String {
        guard case .string(let text) = try document() else {
            throw object.invalid("document", "must be a string")
        }
        return text
    }

    /// The document as bytes: text, base64, or parts that repeat.
    func bytes() throws -> [UInt8] {
        if let encoded = try object.optionalString("documentBase64", maximum: 1 << 20) {
            return Array(try #require(Data(base64Encoded: encoded)))
        }
        guard case .array(let parts) = try document() else { return Array(try text().utf8) }
        var bytes: [UInt8] = []
        for part in parts {
            if case .string(let text) = part {
                bytes += text.utf8
            } else {
                let part = try JSONObject(part)
                let text = Array(try part.string("repeat").utf8)
                let times = try part.integer("times", in: 0...1 << 30)
                bytes +=
                    text.count == 1
                    ? [UInt8](repeating: text[0], count: times)
                    : Array(repeatElement(text, count: times).joined())
            }
        }
        return bytes
    }

    /// What another implementation derived from the document.
    func derived() throws -> JSONObject { try object.object("derived") }

    /// A reader must refuse with the vector's code, or accept and derive what the vector says.
    ///
    /// - Parameter read: reads the document, and tells what it found in the vector's terms.
    /// - Throws: when the vector itself cannot be read, or an accepted document is refused.
    func check(_ read: () throws -> JSONValue) throws {
        guard let code else {
            let found = try read()
            let expected = try object.required("derived")
            // As bytes: strings that are merely canonically equivalent are not the same here.
            #expect(
                found.canonicalBytes == expected.canonicalBytes,
                "found \(found.prettyText), expected \(expected.prettyText)"
            )
            return
        }
        let error = #expect(throws: ZooError.self) { try read() }
        #expect(error?.code.rawValue == code, "\(error?.message ?? "accepted")")
    }

    /// The digest of an accepted document, and whether writing it again gives the same bytes.
    func checkStored(_ bytes: [UInt8], rewritten: [UInt8]) throws {
        #expect(try object.digest("digest") == ContentDigest(of: bytes))
        if object.value("rewrites") == true { #expect(rewritten == bytes) }
        if case .string(let expected)? = object.value("rewritten") {
            #expect(String(decoding: rewritten, as: UTF8.self) == expected)
        }
    }
}

extension JSONValue {
    init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }

    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
}
