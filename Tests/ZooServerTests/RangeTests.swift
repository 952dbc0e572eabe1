// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

@Suite("Byte ranges")
struct RangeTests {
    private let content = noise(700_000, seed: 2)

    @Test("are sent as 206 with the bytes asked for")
    func sendsParts() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(blob: content)
            for (range, bytes) in [
                ("0-0", 0..<1), ("5-299999", 5..<300_000), ("699999-", 699_999..<700_000),
                ("-262145", 437_855..<700_000), ("0-9999999", 0..<700_000),
            ] {
                let reply = try await curl("\(server.url)/\(path)", "-r", range)
                #expect(reply.status == 206)
                #expect(reply.body == Array(content[bytes]))
                #expect(reply.fields["content-length"] == "\(bytes.count)")
                #expect(
                    reply.fields["content-range"]
                        == "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/700000"
                )
            }
        }
    }

    @Test("that begin after the end are refused with the size")
    func refusesUnsatisfiable() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(blob: content)
            for range in ["700000-", "700000-800000", "-0"] {
                let reply = try await curl("\(server.url)/\(path)", "-H", "Range: bytes=\(range)")
                #expect(reply.status == 416)
                #expect(reply.fields["content-range"] == "bytes */700000")
                #expect(reply.text.contains("server.range-unsatisfiable"))
            }
        }
    }

    @Test("that are several or malformed give the whole file, and so does HEAD")
    func ignoresOthers() async throws {
        try await RunningServer.with { server in
            let url = "\(server.url)/\(try server.registry.add(blob: content))"
            for range in ["bytes=0-1,5-6", "bytes=9-3", "bytes=x-", "items=0-1"] {
                let reply = try await curl(url, "-H", "Range: \(range)")
                #expect(reply.status == 200)
                #expect(reply.body == content)
                #expect(reply.fields["content-range"] == nil)
            }
            let twice = try await curl(url, "-H", "Range: bytes=0-1", "-H", "Range: bytes=5-6")
            #expect(twice.status == 200)
            #expect(try await curl(url, "-I", "-r", "0-1").status == 200)
        }
    }

    @Test("with If-Range are sent only from the content it names")
    func honoursIfRange() async throws {
        try await RunningServer.with { server in
            let url = "\(server.url)/\(try server.registry.add(blob: content))"
            let tag = "\"\(ContentDigest(of: content))\""
            for (header, status) in [
                (tag, 206), ("W/\(tag)", 200), ("\"x\"", 200),
                ("Sat, 21 Nov 2026 00:00:00 GMT", 200),
            ] {
                let reply = try await curl(url, "-r", "5-9", "-H", "If-Range: \(header)")
                #expect(reply.status == status, "\(header)")
            }
            let past = try await curl(url, "-r", "700000-", "-H", "If-Range: \"x\"")
            #expect(past.status == 200)
        }
    }

    @Test("let curl resume a broken download")
    func resumes() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(blob: content)
            let file = "\(server.registry.root)/download"
            try Data(content[..<300_000]).write(to: URL(fileURLWithPath: file))
            let result = try await command(
                "curl",
                "-q",
                "-s",
                "-f",
                "-C",
                "-",
                "-o",
                file,
                "\(server.url)/\(path)"
            )
            #expect(result.status == 0)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: file))) == content)
            #expect(try await server.eventually { !server.log.all.isEmpty })
            #expect(server.log.all[0].contains("206 bytes=400000"))
        }
    }

    @Test("reach many clients at once")
    func servesManyClients() async throws {
        try await RunningServer.with { server in
            let url = "\(server.url)/\(try server.registry.add(blob: content))"
            let parts = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
                for part in 0..<35 {
                    group.addTask {
                        let range = "\(part * 20_000)-\(part * 20_000 + 19_999)"
                        return (part, try await curl(url, "-r", range).body)
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect((0..<35).flatMap { parts[$0, default: []] } == content)
            #expect(try await server.eventually { try server.registry.openFiles() == 0 })
        }
    }
}
