// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Against nginx", .timeLimit(.minutes(1)))
struct NginxTests {
    private let content = ServedContent.pattern(count: 3_000_000)

    @Test("wholes, parts, documents and what is missing come as a real server sends them")
    func serves() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(content.bytes, to: "blobs/one")
            try await NginxServer.with(folder: folder.path) { nginx in
                let transport = HTTPTransport(configuration: .impatient())
                let url = nginx.url("/blobs/one")
                var request = StreamRequest(url: url, totalSize: 3_000_000)
                #expect(try await transport.bytes(request) == content.bytes)
                request.range = 1_000_000..<2_500_000
                #expect(
                    try await transport.bytes(request)
                        == Array(content.bytes[1_000_000..<2_500_000])
                )

                var document = DocumentRequest(url: url, limit: 3_000_000)
                let reply = try await transport.document(document)
                guard case .fetched(let bytes, let tag?) = reply else {
                    Issue.record("no document with a tag: \(reply)")
                    return
                }
                #expect(bytes == content.bytes)
                document.entityTag = tag
                #expect(try await transport.document(document) == .notModified)

                document.url = nginx.url("/missing")
                let code = try await thrownCode { _ = try await transport.document(document) }
                #expect(code == .resourceNotFound)
            }
        }
    }

    @Test("a server configured without ranges is recognised")
    func withoutRanges() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(content.bytes, to: "one")
            try await NginxServer.with(folder: folder.path, directives: "max_ranges 0;") { nginx in
                let transport = HTTPTransport(configuration: .impatient())
                var request = StreamRequest(
                    url: nginx.url("/one"),
                    totalSize: 3_000_000,
                    range: 5..<10
                )
                let code = try await thrownCode { _ = try await transport.bytes(request) }
                #expect(code == .rangesIgnored)
                request.range = nil
                #expect(try await transport.bytes(request) == content.bytes)
            }
        }
    }

    @Test("a connection that nginx closes when idle does not disturb the next transfer")
    func idleClose() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(content.bytes, to: "one")
            let directives = "keepalive_timeout 100ms;"
            try await NginxServer.with(folder: folder.path, directives: directives) { nginx in
                let transport = HTTPTransport(configuration: .impatient())
                let request = StreamRequest(url: nginx.url("/one"), totalSize: 3_000_000)
                for _ in 1...2 {
                    #expect(try await transport.bytes(request) == content.bytes)
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }
}
