// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Glibc
import Testing
import ZooCore
import ZooTesting

/// Disks that become full, and disks that fail, at each call of a pull and of a publication.
///
/// A normal run takes a sample of the calls; `scripts/test --full` takes all.
@Suite struct FailingWriteTests {
    private static let programs: [KilledProgram] = [
        .pullFromFolder, .publishToFolder, .server, .indexing,
    ]

    /// Runs `body` at every, or at a sample of, the calls that a program makes.
    private func forEachCall(
        of program: KilledProgram,
        _ calls: [String],
        _ sample: Int,
        _ body: @Sendable @escaping (Arena, FaultInjection, Int) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let faults = try await FaultInjection(in: folder)
            let count = try await TemporaryFolder.with { folder in
                let arena = try await Arena(program, in: folder)
                let variables = faults.environment(
                    below: arena.watched,
                    log: arena.log,
                    calls: calls
                )
                #expect(try await Self.run(arena, variables) { _ in }?.status == 0)
                return FaultInjection.calls(in: arena.log).count
            }
            #expect(count > 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let numbers = TestScale.sample(Array(1...max(1, count)), sample)
                for (index, number) in numbers.enumerated() {
                    if index >= 2 { try await group.next() }
                    group.addTask {
                        try await TemporaryFolder.with { folder in
                            try await body(try await Arena(program, in: folder), faults, number)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Runs the program of an arena with the variables of a fault, then `next`, where a server still runs.
    ///
    /// - Returns: the run of the command; nil when the server did not start.
    private static func run(
        _ arena: Arena,
        _ variables: [String: String],
        then next: (String?) async throws -> Void
    ) async throws -> ProgramRun? {
        guard arena.program == .server else {
            let run = try await ProgramRun(
                Program.executable,
                arena.arguments(nil),
                environment: arena.zoo.environment.merging(variables) { $1 }
            )
            try await next(nil)
            return run
        }
        return try await Serving.process(
            arena.registry,
            arena.zoo,
            arena.folder,
            environment: variables
        ) { url, _ in
            guard !url.isEmpty else { return nil }
            let run = try await ProgramRun(
                Program.executable,
                arena.arguments(url),
                environment: arena.zoo.environment
            )
            try await next(url)
            return run
        }
    }

    @Test(arguments: programs)
    func aFullDiskIsSaidSoAndTheNextRunCompletes(program: KilledProgram) async throws {
        let table = OutcomeTable()
        try await forEachCall(of: program, FaultInjection.needingSpace, 5) {
            arena,
            faults,
            number in
            let space = arena.folder.path(of: "space")
            let variables = faults.environment(
                below: arena.watched,
                log: arena.log,
                calls: FaultInjection.needingSpace,
                at: number,
                .failing(ENOSPC, until: space)
            )
            var again: ProgramRun?
            let run = try await Self.run(arena, variables) { url in
                _ = try await arena.state("full from call \(number) on")
                // Space is made while the server runs.
                try arena.folder.write([], to: "space")
                guard let url else { return }
                again = try await ProgramRun(
                    Program.executable,
                    arena.arguments(url),
                    environment: arena.zoo.environment
                )
            }
            let calls = FaultInjection.calls(in: arena.log)
            let point =
                calls.count < number
                ? "not reached" : FaultInjection.point(calls[number - 1], below: arena.watched)
            if let run, run.status != 0 {
                var expected: Set = [program == .server ? "transport.server-full" : "io.disk-full"]
                // SQLite does not say why it could not open, or synchronise, a file.
                if point.contains(".metadata/") { expected.insert("database.failed") }
                #expect(
                    expected.contains(run.errorCode ?? ""),
                    "\(number), \(point): \(run.output)"
                )
            }
            if let again { #expect(again.status == 0, "\(number), \(point): \(again.output)") }
            table.add(point, [run.map { $0.status == 0 ? "done" : "refused" } ?? "no start"])
            try await arena.requireCompletion("full from call \(number) on, \(point)", nil)
        }
        // A command that succeeds needed the space for its metadata database only, which can be made again.
        table.print("full disk: \(program.rawValue)", ["refused", "done", "no start"])
        #expect(table.total["refused", default: 0] > 0)
    }

    /// The system reports bytes that it could not write once; a file with lost bytes is never kept.
    @Test(arguments: [KilledProgram.pullFromFolder, .publishToFolder, .server])
    func bytesThatCannotBeWrittenAreNeverReportedAsStored(program: KilledProgram) async throws {
        let table = OutcomeTable()
        try await forEachCall(of: program, ["fsync"], 5) { arena, faults, number in
            let variables = faults.environment(
                below: arena.watched,
                log: arena.log,
                calls: ["fsync"],
                at: number,
                .failingOnce(EIO)
            ).merging(["CALLS_ALSO": ",unlink,"]) { $1 }
            let run = try await Self.run(arena, variables) { _ in }
            let all = FaultInjection.calls(in: arena.log)
            let calls = all.filter { $0.hasPrefix("fsync ") }
            let failed = calls.count < number ? "not reached" : calls[number - 1]
            let point = FaultInjection.point(failed, below: arena.watched)
            // A database can be made again, and has a rollback of its own; SQLite synchronises its folder
            // after its journal. The links of uploaded blobs expire, and a lost one is an upload more.
            let derived = ["/.metadata", "/blocks.sqlite", "/.links"]
            let previous = (2...max(2, calls.count)).contains(number) ? calls[number - 2] : ""
            let isDerived = derived.contains {
                failed.contains($0)
                    || failed == "fsync \(arena.watched)" && previous.contains($0)
            }
            if !isDerived, calls.count >= number {
                let path = String(failed.dropFirst("fsync ".count))
                let isFolder = FileManager.default.fileExists(atPath: path + "/.")
                // A folder is synchronised again; a file is written anew, under another name, or under
                // the same one after it was removed: a block-wise upload is named by what it is for.
                let wasRemoved = all.contains("unlink \(path)")
                if run?.status == 0, isFolder || !wasRemoved {
                    #expect(calls[number...].contains(failed) == isFolder, "\(number), \(point)")
                }
                if run?.status == 0, !isFolder, path.hasSuffix("/data") {
                    #expect(wasRemoved, "\(number), \(point)")
                }
                if program.isPull {
                    #expect(run?.errorCode == "io.failed", "\(number), \(point)")
                    let isContent = path.contains("/files/") && !path.contains("/.ami-zoo")
                    if isContent, !isFolder {
                        #expect(!FileManager.default.fileExists(atPath: path), "\(point)")
                    }
                }
            }
            table.add(point, [run.map { $0.status == 0 ? "done" : "refused" } ?? "no start"])
            _ = try await arena.state("EIO at call \(number)")
            try await arena.requireCompletion("EIO at call \(number), \(point)", nil)
        }
        table.print("EIO at fsync: \(program.rawValue)", ["refused", "done", "no start"])
    }

    /// A real file system that is too small for the release.
    @Test(
        .enabled("this machine lets nobody mount a file system of their own") {
            try await ProgramRun("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
                .status == 0
        }
    )
    func aSmallFileSystemBehindServe() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, root) = (Program(in: folder), folder.path(of: "disk"))
            try FileManager.default.createDirectory(
                atPath: root,
                withIntermediateDirectories: true
            )
            let script = """
                mount -t tmpfs -o size=3m none "$root" || exit 99
                "$zoo" registry init "$root/r" >/dev/null || exit 98
                "$zoo" serve --root "$root/r" --listen 127.0.0.1:0 >"$log" & server=$!
                until grep -q serving "$log"; do sleep 0.02; done
                url=$(sed -n 's/^serving at //p' "$log")
                "$zoo" publish "$release" --registry "$url" --json; echo "first $?"
                "$zoo" registry check "$root/r" >/dev/null; echo "check $?"
                mount -o remount,size=64m "$root"
                "$zoo" publish "$release" --registry "$url" >/dev/null; echo "second $?"
                "$zoo" registry check "$root/r" >/dev/null; echo "check $?"
                kill -9 $server
                """
            let run = try await ProgramRun(
                "unshare",
                ["-rm", "bash", "-c", script],
                environment: zoo.environment.merging(
                    [
                        "zoo": Program.executable, "root": root, "release": Program.embedded,
                        "log": folder.path(of: "address"),
                    ]
                ) { $1 }
            )
            #expect(run.output.contains("transport.server-full"), "\(run.output)\(run.errors)")
            #expect(
                run.output.hasSuffix("first 74\ncheck 0\nsecond 0\ncheck 0\n"),
                "\(run.output)\(run.errors)"
            )
        }
    }
}
