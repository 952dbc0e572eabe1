// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer
import ZooStore
import ZooTesting

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
        #expect(tables.count == 9)
        #expect(tables.map(\.rows.count).reduce(0, +) > 90)
        // The rows of tables under one command share a server.
        var rows: [String: [Row]] = [:]
        for table in tables {
            let start = try #require(table.heading.firstRange(of: "`ami-zoo serve"))
            rows[String(table.heading[start.lowerBound...]), default: []] += table.rows
        }
        for (command, rows) in rows {
            try await TemporaryFolder.with { folder in
                var policy: any AccessPolicy = OpenPolicy(writable: true)
                var example = try Example()
                var mounts: [MountedRegistry] = []
                if command.contains("--state") {
                    (policy, example.token) = try Self.accounts(folder.path(of: "state"))
                }
                if command.contains("--mount partner=") {
                    let root = folder.path(of: "partner")
                    try FileManager.default.copyItem(atPath: Self.embedded, toPath: root)
                    let (policy, token) = try Self.accounts(
                        folder.path(of: "state/partner"),
                        prefix: "partner"
                    )
                    example.partner = token
                    let prefix = try MountPrefix(parsing: "partner")
                    mounts = [MountedRegistry(prefix: prefix, root: root, policy: policy)]
                }
                let options = ServerOptions(
                    writing: command.contains("--read-only") ? .never : .always,
                    acceptsAnyArtifact: command.contains("--accept any"),
                    allowsDeletion: command.contains("--allow-delete")
                )
                try await Self.serve(policy, mounts, options) { server in
                    for row in rows { try await example.run(row, on: server) }
                }
            }
        }
    }

    /// New accounts, and a token that publishes in the namespace `ami`.
    private static func accounts(
        _ state: String,
        prefix: String? = nil
    ) throws -> (TokenPolicy, String) {
        let accounts = try AccountDatabase(state: state)
        let scope = try TokenScope(parsing: "ami:publish")
        let new = try NewToken("ci", [scope], expires: nil, creator: "user:test")
        let now = Int(Date().timeIntervalSince1970)
        var settings = TokenPolicy.Settings()
        settings.prefix = prefix
        return (
            TokenPolicy(accounts, settings) { Int(Date().timeIntervalSince1970) },
            try accounts.createToken(new, at: now).secret
        )
    }

    private static let embedded = repository.appending(path: "Tests/Vectors/releases").path

    /// Runs `body` beside a server over a copy of the registry of this repository.
    private static func serve(
        _ policy: any AccessPolicy,
        _ mounts: [MountedRegistry],
        _ options: ServerOptions,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        try await TestRegistry.with { registry in
            try FileManager.default.removeItem(atPath: registry.root)
            try FileManager.default.copyItem(atPath: embedded, toPath: registry.root)
            try await RunningServer.with(
                registry,
                mounts: mounts,
                policy: policy,
                options: options,
                body
            )
        }
    }

    /// The values that the rows refer to.
    private struct Example {
        private var values: [(name: String, value: String)] = []
        private var upload = ""
        var token = ""
        var partner = ""
        private static let hello = Array("hello".utf8)

        init() throws {
            let release = try SampleRelease()
            let blob = release.manifest.record.digest
            let hello = ContentDigest(of: Self.hello).description
            let hello512 = BlobDigest(of: Self.hello, .sha512).description
            let link = #"{"mediaType":"text/plain","digest":"\#(hello)","size":5}"#
            let image = """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
                "config":\(link),"layers":[\(link)]}
                """
            let archive = BlockArchive(blocks: [Array("wor".utf8), Array("ld".utf8)])
            let table = archive.table.canonicalBytes
            // Longer names first, so that no name is taken for the beginning of another.
            values = [
                ("$HELLO512", hello512), ("$HELLO", hello),
                ("$ABSENT", "sha256:" + String(repeating: "0", count: 64)),
                ("$IMAGEDIGEST", ContentDigest(of: Array(image.utf8)).description),
                ("$IMAGE", image),
                ("$ARCHIVE", archive.digest.description),
                ("$TABLEDIGEST", ContentDigest(of: table).description),
                ("$TABLE", String(decoding: table, as: UTF8.self)),
                ("$MANIFEST", String(decoding: release.bytes, as: UTF8.self)),
                ("$RELEASE", release.digest.description),
                ("$BLOBHEX", blob.hex), ("$BLOB", blob.description),
            ]
        }

        private func filled(_ text: String) -> String {
            values.reduce(text) { $0.replacing($1.name, with: $1.value) }
                .replacing("$UPLOAD", with: upload).replacing("$TOKEN", with: token)
                .replacing("$PARTNER", with: partner)
        }

        mutating func run(_ row: Row, on server: RunningServer) async throws {
            var arguments = row.method == "HEAD" ? ["--head"] : ["-X", row.method]
            for field in row.fields { arguments += ["-H", filled(field)] }
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
