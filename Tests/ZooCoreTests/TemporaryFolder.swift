// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// A folder that exists for the length of one test.
enum TemporaryFolder {
    static func use(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "ami-zoo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            // A folder that stays behind does not change what the test found.
            try? FileManager.default.removeItem(at: folder)
        }
        try body(folder)
    }
}
