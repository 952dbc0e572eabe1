// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Programs that are killed at each system call that changes a file, and at random moments.
///
/// A normal run takes a sample of the points; `scripts/test --full` takes all.
@Suite struct KillTests {
    @Test(arguments: KilledProgram.allCases)
    func nothingIsLostAndTheNextRunCompletes(program: KilledProgram) async throws {
        try await TemporaryFolder.with { folder in
            let faults = try await FaultInjection(in: folder)
            guard program == .pullFromServer else {
                return try await killEverywhere(program, faults, nil)
            }
            try await Serving.with(Program.embedded, Program(in: folder), folder) { url in
                try await killEverywhere(program, faults, url)
            }
        }
    }

    private func killEverywhere(
        _ program: KilledProgram,
        _ faults: FaultInjection,
        _ url: String?
    ) async throws {
        let (calls, duration) = try await undisturbed(program, faults, url)
        let points = try await points(program, calls: calls, url)
        let table = OutcomeTable()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, point) in points.enumerated() {
                if index >= 2 { try await group.next() }
                group.addTask {
                    try await TemporaryFolder.with { folder in
                        let arena = try await Arena(program, in: folder)
                        try await kill(arena, point, faults, url, duration, table)
                    }
                }
            }
            try await group.waitForAll()
        }
        table.print(
            "killed: \(program.rawValue), at \(points.count) points; \(calls) calls change files",
            ["killed", "old", "part", "new", "garbage", "behind"]
        )
        #expect(table.total["killed", default: 0] > 0)
    }

    /// Runs a program to its end; returns the number of its calls, and how long it took.
    private func undisturbed(
        _ program: KilledProgram,
        _ faults: FaultInjection,
        _ url: String?
    ) async throws -> (calls: Int, duration: Duration) {
        try await TemporaryFolder.with { folder in
            let arena = try await Arena(program, in: folder)
            let start = ContinuousClock.now
            #expect(try await arena.run(nil, faults, url) == 0)
            let duration = ContinuousClock.now - start
            return (FaultInjection.calls(in: arena.log).count, duration)
        }
    }

    private func points(
        _ program: KilledProgram,
        calls: Int,
        _ url: String?
    ) async throws -> [KillPoint] {
        var points: [KillPoint] = TestScale.sample(Array(0..<calls), 4).map { .call($0 + 1) }
        // More than one thread makes; the rest is not reached, and counts as a run that completes.
        let numbers = FaultInjection.traced.flatMap { call in
            [1, 2, 5, 12].map { KillPoint.strace(call, $0) }
        }
        points += TestScale.sample(numbers, 1)
        let moments = (1...40).map { KillPoint.moment(Double($0) / 40) }
        return points + TestScale.sample(moments, calls == 0 ? 4 : 1)
    }

    private func kill(
        _ arena: Arena,
        _ point: KillPoint,
        _ faults: FaultInjection,
        _ url: String?,
        _ duration: Duration,
        _ table: OutcomeTable
    ) async throws {
        let status = try await arena.run(point, faults, url, lasting: duration)
        #expect(status == 0 || status == 128 + SIGKILL, "\(point)")
        let name: String
        switch point {
        case .call:
            let last = FaultInjection.calls(in: arena.log).last ?? "no call"
            name = FaultInjection.point(last, below: arena.watched)
        case .strace(let call, _): name = "strace \(call)"
        case .moment: name = "a moment"
        }
        let state = try await arena.state("killed at \(point), \(name)")
        var outcomes = [state.content]
        if status != 0 { outcomes.append("killed") }
        if state.hasGarbage { outcomes.append("garbage") }
        if state.isBehind { outcomes.append("behind") }
        table.add(name, outcomes)
        try await arena.requireCompletion("killed at \(point), \(name)", url)
    }

    /// The library that counts sees each system call that strace sees.
    @Test(arguments: [KilledProgram.pullFromFolder, .publishToFolder])
    func straceSeesTheSameCalls(program: KilledProgram) async throws {
        try await TemporaryFolder.with { folder in
            let faults = try await FaultInjection(in: folder)
            let arena = try await Arena(program, in: folder)
            let trace = folder.path(of: "trace")
            let variables = faults.environment(below: arena.watched, log: arena.log)
            // A failure here means that strace is missing, or that this machine forbids ptrace.
            let run = try await ProgramRun(
                "strace",
                [
                    "-f", "-y", "-qq", "-o", trace, "-e", "trace=%file,%desc", "--",
                    Program.executable,
                ]
                    + arena.arguments(nil),
                environment: arena.zoo.environment.merging(variables) { $1 }
            )
            try #require(run.status == 0, "strace cannot run: \(run.errors)")
            var counted: [String: Int] = [:]
            for call in FaultInjection.calls(in: arena.log) {
                counted[String(call.prefix { $0 != " " }), default: 0] += 1
            }
            let text = try String(contentsOfFile: trace, encoding: .utf8)
            #expect(try counted == Self.changes(in: text, below: arena.watched))
        }
    }

    /// The name in `file-calls.c` of each system call that changes a file.
    private static let names = [
        "creat": "open", "open": "open", "openat": "open", "openat2": "open", "write": "write",
        "pwrite64": "write", "writev": "write", "pwritev": "write", "pwritev2": "write",
        "copy_file_range": "write", "sendfile": "write", "splice": "write", "fsync": "fsync",
        "fdatasync": "fsync", "syncfs": "fsync",
        "ftruncate": "truncate", "truncate": "truncate", "fallocate": "truncate",
        "fchmod": "chmod", "chmod": "chmod", "fchmodat": "chmod", "utimensat": "utimens",
        "unlink": "unlink", "unlinkat": "unlink", "rmdir": "rmdir", "mkdir": "mkdir",
        "mkdirat": "mkdir", "rename": "rename", "renameat": "rename", "renameat2": "rename",
        "link": "link", "linkat": "link", "symlink": "link", "symlinkat": "link",
    ]

    private static func changes(in trace: String, below root: String) throws -> [String: Int] {
        let line = try Regex(
            "^[0-9]+ +([a-z0-9_]+)\\((?:AT_FDCWD[^,]*, )?(?:[0-9]+<|\")\(root)[/\">]"
        ).anchorsMatchLineEndings()
        var counts: [String: Int] = [:]
        for text in trace.split(separator: "\n") {
            guard let match = try line.firstMatch(in: String(text)),
                let call = match.output[1].substring, let name = names[String(call)]
            else { continue }
            let creates = text.contains("O_CREAT") || text.contains("O_TRUNC")
            if name != "open" || creates { counts[name, default: 0] += 1 }
        }
        return counts
    }
}
