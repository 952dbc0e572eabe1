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

    /// Starts a program, which is found by the paths in `PATH` and where Debian hides daemons.
    ///
    /// - Throws: ``Missing`` when there is no such program.
    package init(_ name: String, _ arguments: [String]) throws {
        process = Process()
        let (exit, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.exit = exit
        process.executableURL = URL(filePath: try Self.find(name))
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.terminationHandler = { process in
            continuation.yield(process.terminationStatus)
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

    /// Waits until the program ends, and returns its exit status; to be called once.
    package func status() async -> Int32 {
        for await status in exit { return status }
        return -1
    }

    /// Ends the program at once, and waits until it is gone.
    ///
    /// SIGKILL, because programs inherit the signals that Swift's threads block, among them SIGTERM.
    package func kill() async {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        _ = await status()
    }

    private static func find(_ name: String) throws -> String {
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
