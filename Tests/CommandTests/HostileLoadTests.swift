// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Many clients at once, and clients that mean harm, against `serve` in a process of its own.
@Suite struct HostileLoadTests {
    @Test(arguments: ["slow-header", "no-reading", "no-body"])
    func clientsThatStallCostLittleMemoryAndDisturbNobody(behaviour: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 8, with: zoo, in: folder)
            try await Serving.process(model.registry, zoo, folder) { url, server in
                let before = try server.residentBytes()
                let count = TestScale.count(100, full: 400)
                let target = String(try model.largestBlob().dropFirst(model.registry.count))
                let port = String(url.split(separator: ":").last ?? "")
                let clients = try ChildProcess(
                    "python3",
                    ["\(Program.root)Tests/Support/hostile-clients.py", port, behaviour]
                        + ["\(count)", target],
                    output: folder.path(of: "clients")
                )
                for _ in 0..<500 {
                    if try folder.read("clients").count > 0 { break }
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(String(decoding: try folder.read("clients"), as: UTF8.self) == "ready\n")
                let start = ContinuousClock.now
                let pull = try await zoo("pull", "test/random", "--registry", url, "--json")
                #expect(pull.status == 0, "\(pull.output)")
                #expect(ContinuousClock.now - start < .seconds(20))
                let grown = try server.residentBytes() - before
                print("\(count) clients, \(behaviour): \(grown >> 20) MiB more in the server")
                // Two pieces of 256 KiB for each response, and fixed costs of the process.
                #expect(grown < 96 << 20 + count * (768 << 10))
                await clients.kill()
            }
        }
    }

    /// Uploads that are started and left.
    @Test func idleUploadsAreBoundedAndExpire() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, registry) = (Program(in: folder), folder.path(of: "registry"))
            #expect(try await zoo("registry", "init", registry).status == 0)
            let count = TestScale.count(1000, full: 100_000)
            try await Serving.process(registry, zoo, folder) { url, server in
                let before = try server.residentBytes()
                let statuses = try await ProgramRun(
                    "curl",
                    ["-q", "-s", "-o", "/dev/null", "-X", "POST", "-w", "%{http_code}\n"]
                        + ["\(url)/v2/ami/x/blobs/uploads/?n=[1-\(count)]"]
                )
                let started = statuses.output.split(separator: "\n").count { $0 == "202" }
                #expect(started == count)
                let grown = try server.residentBytes() - before
                print("\(count) idle uploads: \(grown >> 20) MiB more in the server")
                #expect(grown < 128 << 20)
                if TestScale.isFull {
                    let more = try await ProgramRun(
                        "curl",
                        ["-q", "-s", "-X", "POST", "\(url)/v2/ami/x/blobs/uploads/"]
                    )
                    #expect(more.output.contains("upload.too-many"), "\(more.output)")
                }
            }
            let age = "find \(registry)/.uploads -exec touch -d '2 days ago' {} +"
            #expect(try await ProgramRun("sh", ["-c", age]).status == 0)
            let start = ContinuousClock.now
            try await Serving.process(registry, zoo, folder) { url, _ in
                #expect(!url.isEmpty)
                #expect(ContinuousClock.now - start < .seconds(5))
                let names = {
                    try FileManager.default.contentsOfDirectory(atPath: "\(registry)/.uploads")
                }
                for _ in 0..<2400 where try !names().isEmpty {
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try names().isEmpty)
                let again = try await ProgramRun(
                    "curl",
                    ["-q", "-s", "-o", "/dev/null", "-X", "POST", "-w", "%{http_code}"]
                        + ["\(url)/v2/ami/x/blobs/uploads/"]
                )
                #expect(again.output == "202")
            }
        }
    }

    @Test func manyPullsAtOnceAllSucceed() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let count = TestScale.count(24, full: 200)
            try await Serving.with(Program.embedded, zoo, folder) { url in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<count {
                        group.addTask {
                            let client = Program(in: folder, store: "store-\(number)")
                            let run = try await client(
                                "pull",
                                "ami/ball-drop:1.1.0",
                                "--registry",
                                url,
                                "--json"
                            )
                            #expect(run.status == 0, "\(number): \(run.output)")
                            if number % 10 == 0 {
                                let verify = try await client("verify", "ami/ball-drop", "--deep")
                                #expect(verify.status == 0, "\(verify.output)")
                            }
                            try? FileManager.default.removeItem(atPath: client.store)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// Half of the publishers write to the folder, half through the server that serves it.
    @Test func manyPublicationsAtOnceLoseNothing() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, registry) = (Program(in: folder), folder.path(of: "registry"))
            #expect(try await zoo("registry", "init", registry).status == 0)
            let count = TestScale.count(6, full: 20)
            let yaml = try String(
                contentsOfFile: "\(Program.root)models/ami/ball-drop/model.yaml",
                encoding: .utf8
            )
            func pack(_ name: String, version: String, summary: String) async throws -> String {
                let text = yaml.replacing(#/\nversion: .*/#, with: "\nversion: \(version)")
                    .replacing(#/\nsummary: .*/#, with: "\nsummary: \(summary)")
                let file = try folder.write(Array(text.utf8), to: "\(name).yaml")
                let output = folder.path(of: name)
                let run = try await zoo(
                    "pack",
                    "\(Program.root)models/ami/ball-drop/release",
                    "--description",
                    file,
                    "--output",
                    output
                )
                try #require(run.status == 0, "\(run.errors)")
                return output
            }
            var different: [String] = []
            var same: [String] = []
            for number in 0..<count {
                let summary = "Number \(number)."
                different.append(
                    try await pack("d\(number)", version: "2.0.\(number)", summary: summary)
                )
                same.append(try await pack("s\(number)", version: "3.0.0", summary: summary))
            }
            try await Serving.with(registry, zoo, folder) { url in
                func publish(_ releases: [String]) async throws -> [ProgramRun] {
                    try await withThrowingTaskGroup(of: ProgramRun.self) { group in
                        for (number, release) in releases.enumerated() {
                            let target = number % 2 == 0 ? url : registry
                            group.addTask {
                                try await zoo(
                                    "publish",
                                    release,
                                    "--registry",
                                    target,
                                    "--unvalidated",
                                    "a test",
                                    "--json"
                                )
                            }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                }
                let all = try await publish(different)
                #expect(all.allSatisfy { $0.status == 0 }, "\(all.map(\.output))")
                let race = try await publish(same)
                #expect(race.count { $0.status == 0 } == 1, "\(race.map(\.output))")
                #expect(
                    race.count { $0.errorCode == "registry.version-taken" } == count - 1,
                    "\(race.map(\.output))"
                )
            }
            let check = try await zoo("registry", "check", registry, "--json")
            #expect(try check.integer("releases") == count + 1)
            let codes = try check.document.objects("findings", maximum: 1000)
                .map { try $0.string("code") }
            // The blobs of those who lost.
            #expect(Set(codes).isSubset(of: ["registry.blob-unreferenced"]), "\(check.output)")
        }
    }
}
