// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// A child process of a test.
///
/// Waiting for it blocks no thread: `Process.waitUntilExit` would block a thread of the pool that all
/// tests share, and two such waits would deadlock the tests on a small machine.
package struct ChildProcess: Sendable {
    private let process: Process
    private let exit: AsyncStream<Int32>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: A path with a slash, or a name that is searched in `PATH` and in the `sbin` folders
    ///     where Debian installs daemons.
    ///   - arguments: The arguments.
    ///   - environment: Variables added to the environment of the tests.
    ///   - output: The file for standard output; nil discards it.
    ///   - errors: The file for standard error; nil discards it.
    /// - Throws: ``Missing`` when the program does not exist.
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
            // Like a shell: 128 plus the signal number.
            let killed = process.terminationReason == .uncaughtSignal
            continuation.yield((killed ? 128 : 0) + process.terminationStatus)
            continuation.finish()
        }
        try process.run()
    }

    /// The error for a program that is not installed; the test fails and is not skipped.
    package struct Missing: Error, CustomStringConvertible {
        /// The name of the program.
        package let name: String

        /// The message with a remedy.
        package var description: String { "\(name) is not installed; run scripts/setup --test" }
    }

    /// Whether the program is running.
    package var isRunning: Bool { process.isRunning }

    /// Waits until the program exits; may be called only once.
    ///
    /// - Returns: the exit status, or 128 plus the number of the signal that ended the program.
    package func status() async -> Int32 {
        for await status in exit { return status }
        return -1
    }

    /// Sends a signal.
    package func signal(_ number: Int32) {
        if process.isRunning { Foundation.kill(process.processIdentifier, number) }
    }

    /// Kills the program with SIGKILL and waits until it has exited.
    ///
    /// Child processes inherit the signals that Swift's threads block, which include SIGTERM.
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
