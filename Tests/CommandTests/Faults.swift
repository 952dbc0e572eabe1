// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooTesting

/// Reads that fail or take long, in the program alone: `Tests/Support/faults.c`.
struct Faults {
    private let library: String

    /// Builds the library in a folder.
    init(in folder: TemporaryFolder) async throws {
        library = folder.path(of: "faults.so")
        let run = try await ProgramRun(
            "cc",
            [
                "-shared", "-fPIC", "-O1", "-o", library, "\(Program.root)Tests/Support/faults.c",
                "-ldl",
            ]
        )
        try #require(run.status == 0, "\(run.errors)")
    }

    /// The variables that bring faults to the program.
    ///
    /// - Parameters:
    ///   - path: what the path of the file or folder ends with.
    ///   - settings: the variables of `faults.c`, without `FAULT_`.
    /// - Returns: the environment to run the program in.
    func environment(_ path: String, _ settings: [String: String]) -> [String: String] {
        var variables = ["LD_PRELOAD": library, "FAULT_PATH": path]
        for (name, value) in settings { variables["FAULT_\(name)"] = value }
        return variables
    }
}
