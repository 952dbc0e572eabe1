// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer

/// Runs the requests in `docs/http-api.md`, so that the document cannot differ from the server.
@Suite("The HTTP document")
struct HTTPDocumentTests {
    /// A row of a table of requests.
    private struct Row: Sendable {
        let method: String
        let target: String
        let fields: [String]
        let body: String?
        let status: Int
        /// The code spans of the last column.
        let answer: [String]
        let line: String
    }

    /// A table of requests under its heading.
    private struct Table: Sendable {
        let heading: String
        var rows: [Row] = []
    }

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The tables of requests.
    private static func tables() throws -> [Table] {
        let page = try String(
            contentsOf: repository.appending(path: "docs/http-api.md"),
            encoding: .utf8
        )
        var tables: [Table] = []
        for line in page.components(separatedBy: "\n") {
            if line.hasPrefix("### ") { tables.append(Table(heading: line)) }
            guard line.wholeMatch(of: /\| `[A-Z]+ [\/$].*/) != nil else { continue }
            tables[tables.count - 1].rows.append(try row(line))
        }
        return tables.filter { !$0.rows.isEmpty }
    }

    private static func row(_ line: String) throws -> Row {
        let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        try #require(cells.count == 6, "\(line)")
        let request = try #require(spans(cells[1]).first).split(separator: " ")
        let body = cells[2].firstMatch(of: /body `([^`]*)`/).map { String($0.1) }
        return Row(
            method: String(request[0]),
            target: String(request[1]),
            fields: spans(cells[2]).filter { $0.contains(": ") },
            body: body,
            status: try #require(Int(cells[3])),
            answer: spans(cells[4]),
            line: line
        )
    }

    private static func spans(_ cell: String) -> [String] {
        cell.matches(of: /`([^`]*)`/).map { String($0.1) }
    }

    @Test("every row has the status, the fields and the codes that the server answers")
    func rowsAreTrue() async throws {
        let tables = try Self.tables()
        #expect(tables.count == 5)
        #expect(tables.map(\.rows.count).reduce(0, +) > 70)
        // The rows of tables under one command share a server.
        var rows: [String: [Row]] = [:]
        for table in tables {
            let start = try #require(table.heading.firstRange(of: "`ami-zoo serve"))
            rows[String(table.heading[start.lowerBound...]), default: []] += table.rows
        }
        for (command, rows) in rows {
            try await TestRegistry.with { registry in
                let source = Self.repository.appending(path: "registry/embedded")
                try FileManager.default.removeItem(atPath: registry.root)
                try FileManager.default.copyItem(atPath: source.path, toPath: registry.root)
                try await RunningServer.with(
                    registry,
                    policy: OpenPolicy(writable: !command.contains("--read-only")),
                    options: ServerOptions(
                        acceptsAnyArtifact: command.contains("--accept any"),
                        allowsDeletion: command.contains("--allow-delete")
                    )
                ) { running in
                    var example = Example()
                    for row in rows { try await example.run(row, on: running) }
                }
            }
        }
    }

    /// The values that the rows refer to.
    private struct Example {
        private var values: [(name: String, value: String)] = []
        private var upload = ""
        private static let hello = Array("hello".utf8)

        init() {
            let hello = ContentDigest(of: Self.hello).description
            let hello512 = BlobDigest(of: Self.hello, .sha512).description
            let link = #"{"mediaType":"text/plain","digest":"\#(hello)","size":5}"#
            let image = """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
                "config":\(link),"layers":[\(link)]}
                """
            // Longer names first, so that no name is taken for the beginning of another.
            values = [
                ("$HELLO512", hello512), ("$HELLO", hello),
                ("$ABSENT", "sha256:" + String(repeating: "0", count: 64)),
                ("$IMAGEDIGEST", ContentDigest(of: Array(image.utf8)).description),
                ("$IMAGE", image),
            ]
        }

        /// Fills in what the registry of the server has.
        private mutating func learn(from server: RunningServer) async throws {
            let manifest = try await curl("\(server.url)/v2/ami/ball-drop/manifests/1.1.0")
            let parsed = try ArtifactManifest(parsing: manifest.body)
            let blob = try #require(parsed.blobs.first).digest.description
            values += [
                ("$MANIFEST", manifest.text),
                ("$RELEASE", ContentDigest(of: manifest.body).description),
                ("$BLOBHEX", String(blob.dropFirst("sha256:".count))), ("$BLOB", blob),
            ]
        }

        private func filled(_ text: String) -> String {
            values.reduce(text) { $0.replacing($1.name, with: $1.value) }
                .replacing("$UPLOAD", with: upload)
        }

        mutating func run(_ row: Row, on server: RunningServer) async throws {
            if !values.contains(where: { $0.name == "$BLOB" }) { try await learn(from: server) }
            var arguments = row.method == "HEAD" ? ["--head"] : ["-X", row.method]
            for field in row.fields { arguments += ["-H", field] }
            if let body = row.body {
                arguments += ["--data-binary", filled(body), "-H", "Content-Type:"]
            }
            let target = filled(row.target)
            #expect(!target.contains("$"), "\(row.line)")
            let reply = try await curl(["\(server.url)\(target)"] + arguments)
            #expect(reply.status == row.status, "\(row.line)\n\(reply.text)")
            for span in row.answer {
                if span.wholeMatch(of: /[a-z]+\.[a-z-]+/) != nil, !span.hasSuffix(".json") {
                    #expect(
                        reply.text.contains(#""code":"\#(span)""#),
                        "\(row.line)\n\(reply.text)"
                    )
                } else if span.wholeMatch(of: /[A-Z]+(_[A-Z]+)*/) != nil {
                    #expect(
                        reply.text.contains(#""code":"\#(span)""#),
                        "\(row.line)\n\(reply.text)"
                    )
                } else if span.wholeMatch(of: /[A-Z][A-Za-z-]+/) != nil {
                    #expect(reply.fields[span.lowercased()] != nil, "\(row.line): no \(span)")
                }
            }
            if let location = reply.fields["location"], location.contains("/uploads/") {
                upload = location
            }
        }
    }
}
