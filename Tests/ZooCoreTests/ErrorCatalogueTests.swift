// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

/// Holds `docs/errors.md` against the codes that the sources declare.
@Suite("Catalogue of error codes")
struct ErrorCatalogueTests {
    /// Exit status of each category; the command line's contract.
    static let statuses: [ZooError.Category: Int] = [
        .usage: 64, .badData: 65, .notFound: 66, .unreachable: 69, .inputOutput: 74,
        .integrity: 76, .notPermitted: 77,
    ]

    /// Code and category of each `Self("…", .category)` and `ZooError.Code("…", .category)`.
    static func declared() throws -> [(code: String, category: String)] {
        let sources = Vector.repository.appending(path: "Sources")
        let pattern = /(?:Self|Code)\(\s*"([a-z0-9.-]+)",\s*\.([a-zA-Z]+)\s*\)/
        let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
        var found: [(code: String, category: String)] = []
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            found += text.matches(of: pattern).map { (String($0.1), String($0.2)) }
        }
        return found
    }

    /// The cells of each table row of `docs/errors.md` that begins with a code.
    static func documented() throws -> [[String]] {
        let file = Vector.repository.appending(path: "docs/errors.md")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `") }
            .map { line in
                line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            }
    }

    @Test("every code is declared once")
    func declaredOnce() throws {
        let codes = try Self.declared().map(\.code)
        #expect(codes.count > 10)
        #expect(Self.repeated(codes).isEmpty)
    }

    @Test("every declared code has one row in docs/errors.md, and no row is without a code")
    func documentedOnce() throws {
        let declared = Set(try Self.declared().map { "`\($0.code)`" })
        let rows = try Self.documented().compactMap(\.first)
        #expect(Self.repeated(rows).isEmpty)
        #expect(declared.subtracting(rows).sorted().isEmpty, "codes without a row")
        #expect(Set(rows).subtracting(declared).sorted().isEmpty, "rows without a code")
    }

    @Test("every row states the category and exit status of its code, a meaning and a remedy")
    func rowsAreRight() throws {
        let declared = Dictionary(try Self.declared()) { first, _ in first }
        for row in try Self.documented() {
            #expect(row.count == 4, "\(row)")
            guard row.count == 4 else { continue }
            let category = try #require(
                ZooError.Category(rawValue: declared[row[0].replacing("`", with: "")] ?? ""),
                "\(row)"
            )
            let status = try #require(Self.statuses[category])
            #expect(row[1] == "\(category.rawValue) (\(status))", "\(row)")
            #expect(!row[2].isEmpty && !row[3].isEmpty, "\(row)")
        }
    }

    private static func repeated(_ texts: [String]) -> [String] {
        Dictionary(grouping: texts) { $0 }.filter { $1.count > 1 }.keys.sorted()
    }
}
