// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooCore
import ZooTesting

/// A command, or a server, that is killed, and what is around it.
enum KilledProgram: String, CaseIterable, CustomTestStringConvertible {
    case pullFromFolder = "pull from a folder"
    case pullFromServer = "pull from serve"
    case publishToFolder = "publish to a folder"
    case publishToServer = "publish to serve"
    case server = "serve, during a publication"
    case collection = "registry gc"
    case indexing = "registry index"

    var testDescription: String { rawValue }

    var isPull: Bool { self == .pullFromFolder || self == .pullFromServer }

    /// Whether the killed program runs beside a server that stays alive.
    var needsServer: Bool { self == .pullFromServer || self == .publishToServer }

    /// The number of versions before the first run.
    var versionsBefore: Int {
        self == .publishToFolder || self == .publishToServer || self == .server ? 0 : 2
    }
}

/// Where a program is killed.
enum KillPoint: Sendable {
    /// Before a call that changes a file, in the order of all threads.
    case call(Int)
    /// Before a system call of one thread, by strace.
    case strace(String, Int)
    /// After a part of the time of an undisturbed run.
    case moment(Double)
}

/// One run of a program in folders of its own.
struct Arena {
    let program: KilledProgram
    let folder: TemporaryFolder
    let zoo: Program
    let registry: String
    let log: String

    /// The folder whose changes are watched.
    var watched: String { program.isPull ? zoo.store : registry }

    init(_ program: KilledProgram, in folder: TemporaryFolder) async throws {
        self.program = program
        self.folder = folder
        zoo = Program(in: folder)
        registry = folder.path(of: "registry")
        log = folder.path(of: "calls")
        switch program {
        case .pullFromFolder, .pullFromServer: break
        case .publishToFolder, .publishToServer, .server:
            try #require(try await zoo("registry", "init", registry).status == 0)
        case .collection, .indexing:
            let copy = try await ProgramRun("cp", ["-r", Program.embedded, registry])
            try #require(copy.status == 0)
            try program == .collection ? addGarbage() : removeViews()
        }
    }

    private func addGarbage() throws {
        for number in 0..<3 {
            let bytes = Array("nobody refers to \(number)".utf8)
            let blob = "blobs/sha256/\(ContentDigest(of: bytes).hex)"
            try folder.write(bytes, to: "registry/\(blob)")
            try folder.write(bytes, to: "registry/blobs/sha256/.1-\(number).tmp")
            try folder.write(bytes, to: "registry/index/ami/.1-\(number).tmp")
            let upload = "registry/.uploads/\(String(repeating: "\(number)", count: 32))"
            try folder.write(bytes, to: "\(upload)/data")
            try folder.write(Array("{}".utf8), to: "\(upload)/session.json")
        }
    }

    /// What another tool that writes OCI layouts leaves out.
    private func removeViews() throws {
        try FileManager.default.removeItem(atPath: "\(registry)/catalogue.json")
        try folder.write(
            Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8),
            to: "registry/index.json"
        )
    }

    /// The arguments of the command.
    func arguments(_ url: String?) -> [String] {
        switch program {
        case .pullFromFolder: ["pull", "ami/ball-drop:1.1.0", "--json"]
        case .pullFromServer: ["pull", "ami/ball-drop:1.1.0", "--registry", url ?? "", "--json"]
        case .publishToFolder: ["publish", Program.embedded, "--registry", registry, "--json"]
        case .publishToServer, .server:
            ["publish", Program.embedded, "--registry", url ?? "", "--json"]
        case .collection: ["registry", "gc", registry, "--grace", "0s", "--json"]
        case .indexing: ["registry", "index", registry, "--json"]
        }
    }

    /// Runs the command to its end, beside a server where it needs one.
    func complete(_ url: String?) async throws -> ProgramRun {
        func run(_ url: String?) async throws -> ProgramRun {
            try await ProgramRun(
                Program.executable,
                arguments(url),
                environment: zoo.environment
            )
        }
        guard program == .publishToServer || program == .server else { return try await run(url) }
        return try await Serving.process(registry, zoo, folder) { url, _ in try await run(url) }
    }

    /// Starts the program that is killed, and runs what it needs until it has ended.
    ///
    /// - Returns: the exit status.
    func run(
        _ point: KillPoint?,
        _ faults: FaultInjection,
        _ url: String?,
        lasting duration: Duration = .zero
    ) async throws -> Int32 {
        if program == .publishToServer {
            return try await Serving.process(registry, zoo, folder) { url, _ in
                try await command(point, faults, arguments(url), lasting: duration)
            }
        }
        guard program == .server else {
            return try await command(point, faults, arguments(url), lasting: duration)
        }
        let (executable, serve, environment) = launch(
            point,
            faults,
            ["serve", "--root", registry, "--listen", "127.0.0.1:0"]
        )
        let start = ContinuousClock.now
        let server = try ChildProcess(
            executable,
            serve,
            environment: environment,
            output: folder.path(of: "address")
        )
        let url = try await Serving.address(of: server, in: folder)
        let client = try url.map { try zoo.start(arguments($0)) }
        while server.isRunning, client?.isRunning ?? false {
            if case .moment(let part) = point, ContinuousClock.now - start > duration * part {
                break
            }
            try await Task.sleep(for: .milliseconds(4))
        }
        await client?.kill()
        let wasKilled =
            !server.isRunning
            || point.map { if case .moment = $0 { true } else { false } }
                ?? false
        await server.kill()
        return wasKilled ? 128 + SIGKILL : 0
    }

    private func command(
        _ point: KillPoint?,
        _ faults: FaultInjection,
        _ arguments: [String],
        lasting duration: Duration
    ) async throws -> Int32 {
        let (executable, arguments, environment) = launch(point, faults, arguments)
        let process = try ChildProcess(executable, arguments, environment: environment)
        if case .moment(let part) = point {
            try await Task.sleep(for: duration * part)
            process.signal(SIGKILL)
        }
        return await process.status()
    }

    private func launch(
        _ point: KillPoint?,
        _ faults: FaultInjection,
        _ arguments: [String]
    ) -> (String, [String], [String: String]) {
        switch point {
        case .strace(let call, let number):
            let command = FaultInjection.strace(
                killingAt: call,
                number,
                [Program.executable] + arguments
            )
            return ("strace", command, zoo.environment)
        case .call(let number):
            let variables = faults.environment(below: watched, log: log, at: number)
            return (Program.executable, arguments, zoo.environment.merging(variables) { $1 })
        case .moment: return (Program.executable, arguments, zoo.environment)
        case nil:
            let variables = faults.environment(below: watched, log: log)
            return (Program.executable, arguments, zoo.environment.merging(variables) { $1 })
        }
    }

    // MARK: What is there afterwards

    /// What the registry, or the store, has.
    struct State {
        /// `old`, `part` or `new`.
        let content: String
        /// Whether there is something that collection removes.
        let hasGarbage: Bool
        /// Whether a derived document lacks a published version.
        let isBehind: Bool
    }

    private static let garbage: Set = ["registry.blob-unreferenced", "registry.file-unknown"]
    private static let derived: Set = ["registry.manifest-unlisted", "registry.catalogue-stale"]

    /// Looks at what is there; records an issue for anything that is wrong.
    func state(_ where: String) async throws -> State {
        if program.isPull { return try await installed(`where`) }
        let check = try await zoo("registry", "check", registry, "--json")
        #expect(try check.text("status") == "passed", "\(`where`): \(check.output)")
        let findings = try check.document.objects("findings", maximum: 1000)
        let codes = Set(try findings.map { try $0.string("code") })
        let other = codes.subtracting(Self.garbage).subtracting(Self.derived)
        #expect(other.isEmpty, "\(`where`): \(check.output)")
        let releases = try check.integer("releases")
        let content =
            program.versionsBefore == 2 || releases == 0
            ? "old" : releases == 2 ? "new" : "part"
        if program.versionsBefore == 2 { #expect(releases == 2, "\(`where`): \(check.output)") }
        return State(
            content: content,
            hasGarbage: !codes.isDisjoint(with: Self.garbage),
            isBehind: !codes.isDisjoint(with: Self.derived)
        )
    }

    private func installed(_ where: String) async throws -> State {
        let verify = try await zoo("verify", "ami/ball-drop:1.1.0")
        if verify.status == 0 {
            // It says that the files are the released ones: so they must be.
            let deep = try await zoo("verify", "ami/ball-drop:1.1.0", "--deep")
            #expect(deep.status == 0, "\(`where`): \(deep.output)")
        } else {
            let models = try? FileManager.default.contentsOfDirectory(
                atPath: "\(zoo.store)/models/ami/ball-drop"
            )
            #expect((models ?? []).isEmpty, "\(`where`): \(verify.output)\(verify.errors)")
        }
        return State(
            content: verify.status == 0 ? "new" : "old",
            hasGarbage: !temporaryFiles().isEmpty,
            isBehind: false
        )
    }

    /// Temporary files in the store outside `staging`, which the next pull does not take over.
    private func temporaryFiles() -> [String] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: zoo.store)) ?? []
        return names.filter { $0.hasSuffix(".tmp") && !$0.hasPrefix("staging/") }
    }

    /// Runs the command again, and checks that it completes everything.
    func requireCompletion(_ where: String, _ url: String?) async throws {
        let run = try await complete(url)
        #expect(run.status == 0, "\(`where`): \(run.output)\(run.errors)")
        let state = try await state("\(`where`), then completed")
        #expect(!state.isBehind, "\(`where`): a derived document stays behind")
        if program.isPull {
            #expect(state.content == "new", "\(`where`)")
            #expect(try await zoo("cache", "du", "--json").integer("staging") == 0, "\(`where`)")
            return
        }
        if program.versionsBefore == 0 { #expect(state.content == "new", "\(`where`)") }
        // What is left is garbage: collection removes it, and nothing else.
        #expect(try await zoo("registry", "gc", registry, "--grace", "0s").status == 0)
        let check = try await zoo("registry", "check", registry, "--json")
        #expect(try check.document.value("findings") == .array([]), "\(`where`): \(check.output)")
        let names = try FileManager.default.subpathsOfDirectory(atPath: registry)
        #expect(!names.contains { $0.hasSuffix(".tmp") }, "\(`where`)")
    }
}

/// Counts outcomes by the point at which a program was disturbed.
final class OutcomeTable: Sendable {
    private let rows = Mutex<[String: [String: Int]]>([:])

    func add(_ point: String, _ outcomes: [String]) {
        rows.withLock { rows in
            for outcome in ["runs"] + outcomes {
                rows[point, default: [:]][outcome, default: 0] += 1
            }
        }
    }

    var total: [String: Int] {
        rows.withLock { $0.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) } }
    }

    /// Prints one line for each point.
    func print(_ title: String, _ columns: [String]) {
        let all = ["runs"] + columns
        var lines = ["", title, Self.line("point", all)]
        for (point, counts) in rows.withLock(\.self).sorted(by: { $0.key < $1.key }) {
            lines.append(Self.line(point, all.map { counts[$0].map(String.init) ?? "-" }))
        }
        lines.append(Self.line("all", all.map { "\(total[$0] ?? 0)" }))
        Swift.print(lines.joined(separator: "\n"))
    }

    private static func line(_ name: String, _ cells: [String]) -> String {
        let padded = cells.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }
        let first = String(name.prefix(62))
        return "  " + first + String(repeating: " ", count: 62 - first.count) + padded.joined()
    }
}
