// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// The output and the exit status of a program.
package struct ProgramRun: Sendable {
    /// The exit status, or 128 plus the number of the signal that ended the program.
    package let status: Int32
    /// The bytes written to standard output.
    package let outputBytes: [UInt8]
    /// The text written to standard error.
    package let errors: String

    /// The text written to standard output.
    package var output: String { String(decoding: outputBytes, as: UTF8.self) }

    /// The time after which a program is killed: longer than any test runs one, also on a slow machine.
    private static let limit = Duration.seconds(600)

    /// Runs a program until it exits.
    ///
    /// A program that does not exit is killed, so that one fault does not stop all tests.
    ///
    /// - Parameters:
    ///   - program: A path, or a name to look up.
    ///   - arguments: The arguments.
    ///   - environment: Variables added to the environment of the tests.
    /// - Throws: ``ChildProcess/Missing`` when the program does not exist.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) async throws {
        self = try await TemporaryFolder.with { folder in
            let process = try ChildProcess(
                program,
                arguments,
                environment: environment,
                output: folder.path(of: "output"),
                errors: folder.path(of: "errors")
            )
            let watchdog = Task {
                try await Task.sleep(for: Self.limit)
                process.signal(SIGKILL)
            }
            let status = await process.status()
            watchdog.cancel()
            let wasKilled = (try? await watchdog.value) != nil
            let note = wasKilled ? "\nkilled after \(Self.limit)" : ""
            return ProgramRun(
                status: status,
                output: Array(try folder.read("output")),
                errors: String(decoding: try folder.read("errors"), as: UTF8.self) + note
            )
        }
    }

    private init(status: Int32, output: [UInt8], errors: String) {
        self.status = status
        outputBytes = output
        self.errors = errors
    }
}
