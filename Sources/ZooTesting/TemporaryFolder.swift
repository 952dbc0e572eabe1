// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import Foundation

/// An empty folder for one test, removed with all it holds when the test has ended.
///
/// It exists while a closure runs, not while a value lives: a path taken from a value does not keep
/// the value alive.
package struct TemporaryFolder: Sendable {
    /// The absolute path, without a slash at its end.
    package let path: String

    /// The folder as a URL.
    package var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

    private init() throws {
        let parent = FileManager.default.temporaryDirectory
        let folder = parent.appending(path: "ami-zoo-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        path = folder.path(percentEncoded: false)
    }

    /// Runs `body` with a new folder.
    package static func with<Result>(
        _ body: (TemporaryFolder) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        return try await body(folder)
    }

    /// The path of something in the folder.
    package func path(of name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, making the folders above it, and returns its path.
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
        // A test that has taken away permissions or the folder itself is no reason to fail it.
        try? FileManager.default.removeItem(atPath: path)
    }
}
