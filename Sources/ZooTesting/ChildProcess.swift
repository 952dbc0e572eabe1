// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// A program that runs beside a test.
///
/// Waiting for it takes no thread: `Process.waitUntilExit` would hold one of the few threads that
/// all tests share, and two such waits stop every test on a small machine.
package struct ChildProcess: Sendable {
    private let process: Process
    private let exit: AsyncStream<Int32>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: A path with a slash in it, or a name that is looked up in `PATH` and where Debian
    ///     hides daemons.
    ///   - arguments: Its arguments.
    ///   - environment: Variables set on top of those of the tests.
    ///   - output: The file that takes its standard output; none drops it.
    ///   - errors: The file that takes its standard error; none drops it.
    /// - Throws: ``Missing`` when there is no such program.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        output: String? = nil,
        errors: String? = nil
    ) throws {
        process = Process()
        let (exit, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.exit = exit
        process.executableURL = URL(filePath: try Self.find(program))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try output.map(Self.file) ?? FileHandle.nullDevice
        process.standardError = try errors.map(Self.file) ?? FileHandle.nullDevice
        process.terminationHandler = { process in
            // As shells report it: 128 and the number of the signal.
            let killed = process.terminationReason == .uncaughtSignal
            continuation.yield((killed ? 128 : 0) + process.terminationStatus)
            continuation.finish()
        }
        try process.run()
    }

    /// Why a program does not run; a test that meets this fails, it is never skipped.
    package struct Missing: Error, CustomStringConvertible {
        /// The name of the program.
        package let name: String

        /// What is missing and what to do about it.
        package var description: String { "\(name) is not installed; run scripts/setup --test" }
    }

    /// Whether the program has not ended yet.
    package var isRunning: Bool { process.isRunning }

    /// Waits until the program ends, and returns its exit status, or 128 and the number of the
    /// signal that ended it; to be called once.
    package func status() async -> Int32 {
        for await status in exit { return status }
        return -1
    }

    /// Sends a signal.
    package func signal(_ number: Int32) {
        if process.isRunning { Foundation.kill(process.processIdentifier, number) }
    }

    /// Ends the program at once, and waits until it is gone.
    ///
    /// SIGKILL, because programs inherit the signals that Swift's threads block, among them SIGTERM.
    package func kill() async {
        signal(SIGKILL)
        _ = await status()
    }

    private static func file(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(filePath: path))
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    private static func find(_ name: String) throws -> String {
        guard !name.contains("/") else { return name }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        let candidates = folders.map { "\($0)/\(name)" }
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw Missing(name: name)
        }
        return found
    }
}
