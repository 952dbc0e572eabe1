// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// What a program printed, and how it ended.
package struct ProgramRun: Sendable {
    /// The exit status, or 128 and the number of the signal that ended it.
    package let status: Int32
    /// What it wrote to standard output.
    package let output: String
    /// What it wrote to standard error.
    package let errors: String

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - program: A path, or a name to look up.
    ///   - arguments: Its arguments.
    ///   - environment: Variables set on top of those of the tests.
    /// - Throws: ``ChildProcess/Missing`` when there is no such program.
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
            return ProgramRun(
                status: await process.status(),
                output: String(decoding: try folder.read("output"), as: UTF8.self),
                errors: String(decoding: try folder.read("errors"), as: UTF8.self)
            )
        }
    }

    private init(status: Int32, output: String, errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }
}
