// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import Foundation

/// A temporary folder for one test, removed with its content when the test ends.
///
/// The folder exists while a closure runs and not for the lifetime of a value, because a path does
/// not keep the value alive.
package struct TemporaryFolder: Sendable {
    /// The absolute path without a trailing slash.
    package let path: String

    /// The folder as a URL.
    package var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

    private init(in parent: URL) throws {
        let folder = parent.appending(path: "ami-zoo-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        path = folder.path(percentEncoded: false)
    }

    /// Runs `body` with a new folder.
    ///
    /// - Parameters:
    ///   - parent: the folder that it is created in; nil for that of temporary files.
    ///   - body: the test.
    /// - Returns: the result of `body`.
    /// - Throws: the error of `body`, or why the folder cannot be created.
    package static func with<Result>(
        in parent: String? = nil,
        _ body: (TemporaryFolder) async throws -> Result
    ) async throws -> Result {
        let parent = parent.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory
        let folder = try TemporaryFolder(in: parent)
        defer { folder.remove() }
        return try await body(folder)
    }

    /// Returns the path of a file in the folder.
    package func path(of name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, creates its parent folders, and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = URL(filePath: path(of: name))
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: file)
        return path(of: name)
    }

    /// Reads a file.
    package func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path(of: name))))
    }

    private func remove() {
        // Ignore errors: a test may have removed the folder or its permissions.
        try? FileManager.default.removeItem(atPath: path)
    }
}
