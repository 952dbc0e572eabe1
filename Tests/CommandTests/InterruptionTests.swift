// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Pulls that end before their time, and pulls that meet each other.
@Suite struct InterruptionTests {
    /// Runs a pull from a server that falls silent after 5 MiB of each request, ends it with a
    /// signal once blocks are in place, and pulls again from the same server, now well.
    private func interrupt(
        with signal: Int32,
        _ check: (_ status: Int32, _ second: ProgramRun) throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 24, with: zoo, in: folder)
            let archive = try model.largestBlob()
            let path = String(archive.dropFirst(model.registry.count))
            let content = ServedContent(try folder.read("registry\(path)"))
            try await HostileServer.with { server in
                server.serve(folder: model.registry)
                server.on(path, .serving(content).stalling(after: 5 << 20, for: .seconds(60)))
                let arguments = ["pull", "test/random", "--registry", server.url("")]
                let process = try zoo.start(arguments)
                // Three blocks may be small: the head of each archive, and a file of a few bytes.
                while try Self.journalled(zoo) < 6 {
                    try #require(process.isRunning)
                    try await Task.sleep(for: .milliseconds(20))
                }
                let start = ContinuousClock.now
                process.signal(signal)
                let status = await process.status()
                #expect(ContinuousClock.now - start < .seconds(1))
                #expect(!FileManager.default.fileExists(atPath: "\(zoo.store)/models/test"))

                server.on(path, .serving(content))
                let second = try await zoo(
                    "pull",
                    "test/random",
                    "--registry",
                    server.url(""),
                    "--json"
                )
                #expect(second.status == 0, "\(second.errors)")
                try check(status, second)
                #expect(try await zoo("verify", "test/random", "--deep").status == 0)
                #expect(try await zoo("cache", "du", "--json").integer("staging") == 0)
            }
        }
    }

    /// Blocks that the journal of an unfinished pull lists.
    private static func journalled(_ zoo: Program) throws -> Int {
        let staging = "\(zoo.store)/staging"
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: staging)) ?? []
        guard let journal = names.first(where: { $0.hasSuffix("/blocks") }) else { return 0 }
        let path = "\(staging)/\(journal)"
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        return (size ?? 0) / 8
    }

    @Test func aKilledPullGoesOnWhereItWas() async throws {
        try await interrupt(with: SIGKILL) { status, second in
            #expect(status == 128 + SIGKILL)
            // Three blocks of 2 MiB or more were in place, and none of them is fetched again.
            let reused = try second.integer("bytesReused")
            #expect(reused >= 4 << 20)
            let total = try second.integer("bytesTotal")
            let downloaded = try second.integer("bytesDownloaded")
            #expect(downloaded <= total - reused + (64 << 10))
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func anInterruptedPullEndsTidily(signal: Int32) async throws {
        try await interrupt(with: signal) { status, second in
            #expect(status == 130)
            let reused = try second.integer("bytesReused")
            #expect(reused >= 4 << 20)
        }
    }

    /// The steps of an installation after the last block, each with the call before which, or after
    /// which, the process is killed.
    enum Step: String, CaseIterable, CustomTestStringConvertible {
        case receipt, record, rename, renamed, journal, area, lock
        var testDescription: String { rawValue }

        func fault(isElsewhere: Bool) -> (path: String, kill: String) {
            let areas = isElsewhere ? "/plant/.ami-zoo-staging-" : "/staging/"
            return switch self {
            case .receipt: ("/receipts/ami/ball-drop/*", "rename")
            case .record: ("/.ami-zoo/record.json", "rename")
            case .rename: ("/files", "rename")
            case .renamed: ("/files", "renamed")
            case .journal: ("/blocks", "unlink")
            case .area: (isElsewhere ? "/plant/*" : "\(areas)*", "rmdir")
            case .lock: (".lock", "unlink")
            }
        }

        /// Whether the model is in its place when the process is killed.
        var isInstalled: Bool { ![.receipt, .record, .rename].contains(self) }
    }

    @Test(arguments: Step.allCases, [false, true])
    func aPullKilledAtAnyStepLeavesNothingAfterTheNext(
        step: Step,
        isElsewhere: Bool
    ) async throws {
        // A folder that the user chose has no receipt.
        guard !(step == .receipt && isElsewhere) else { return }
        try await TemporaryFolder.with { folder in
            let (zoo, faults) = (Program(in: folder), try await Faults(in: folder))
            let plant = folder.path(of: "plant")
            let model = isElsewhere ? ["--to", "\(plant)/model"] : []
            let arguments = ["pull", "ami/ball-drop", "--json"] + model
            let fault = step.fault(isElsewhere: isElsewhere)
            let killed = try await ProgramRun(
                Program.executable,
                arguments,
                environment: zoo.environment.merging(
                    faults.environment(fault.path, ["KILL": fault.kill])
                ) { $1 }
            )
            #expect(killed.status == 128 + SIGKILL, "\(killed.output)\(killed.errors)")
            let parent = isElsewhere ? plant : "\(zoo.store)/staging"
            func left() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: parent)
                    .filter { $0 != "model" }
            }
            #expect(try !left().isEmpty)

            let next = try await ProgramRun(
                Program.executable,
                arguments,
                environment: zoo.environment
            )
            #expect(next.status == 0, "\(next.errors)")
            #expect(
                try next.document.value("alreadyInstalled") == .bool(step.isInstalled),
                "\(next.output)"
            )
            #expect(try left() == [])
            let path = try next.text("path")
            #expect(try await zoo("verify", path, "--deep").status == 0)
        }
    }

    @Test func manyPairsOfProcessesPullIntoOneFolderAndOneStore() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            for round in 0..<12 {
                // Into the store every fourth round, which then starts anew.
                let isElsewhere = round % 4 != 0
                let path = folder.path(of: "plant/\(round)")
                let target = isElsewhere ? ["--to", path] : []
                if !isElsewhere { try? FileManager.default.removeItem(atPath: zoo.store) }
                let runs = try await withThrowingTaskGroup(of: ProgramRun.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            try await ProgramRun(
                                Program.executable,
                                ["pull", "ami/ball-drop", "--json"] + target,
                                environment: zoo.environment
                            )
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(runs.map(\.status) == [0, 0], "\(runs.map(\.output))")
                #expect(try runs[0].text("path") == runs[1].text("path"))
                #expect(try await zoo("verify", try runs[0].text("path")).status == 0)
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "plant"))
            #expect(left.filter { $0.hasPrefix(".") } == [])
            let staging = try FileManager.default.contentsOfDirectory(
                atPath: "\(zoo.store)/staging"
            )
            #expect(staging == [])
        }
    }

    @Test func twoProcessesPullTheSameModelAtOnce() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 12, with: zoo, in: folder)
            try await Serving.with(model.registry, zoo, folder) { url in
                async let first = zoo("pull", "test/random", "--registry", url, "--json")
                async let second = zoo("pull", "test/random", "--registry", url, "--json")
                let runs = try await [first, second]
                #expect(runs.map(\.status) == [0, 0], "\(runs.map(\.errors))")
                #expect(try runs[0].text("path") == runs[1].text("path"))
                #expect(try await zoo("verify", "test/random", "--deep").status == 0)
            }
        }
    }
}
