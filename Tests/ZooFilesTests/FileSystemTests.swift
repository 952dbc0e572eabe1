// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

@Suite struct FileSystemTests {
    private struct Stop: Error {}

    private func permissions(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    // MARK: Listings

    @Test func aNameThatIsNotUTF8IsAnErrorThatNamesTheFolder() async throws {
        try await TemporaryFolder.with { folder in
            // Both would be read as one name with a replacement character in it.
            for last in ["\\377", "\\376"] {
                let run = try await ProgramRun(
                    "sh",
                    ["-c", "cd '\(folder.path)' && touch \"$(printf 'a\(last)')\""]
                )
                try #require(run.status == 0, "\(run.errors)")
            }
            let error = #expect(throws: ZooError(.nameNotUTF8, "")) {
                try FileSystem.names(in: folder.path)
            }
            #expect(error?.message.contains(folder.path) == true)
            #expect(throws: ZooError(.nameNotUTF8, "")) {
                try FileSystem.files(below: folder.path)
            }
        }
    }

    @Test func namesAreListedInOrder() async throws {
        try await TemporaryFolder.with { folder in
            for name in ["b", "a", "ü", "c/d"] { try folder.write([1], to: name) }
            #expect(try FileSystem.names(in: folder.path) == ["a", "b", "c", "ü"])
            #expect(try FileSystem.files(below: folder.path) == ["a", "b", "c/d", "ü"])
            #expect(try FileSystem.names(in: folder.path(of: "none")) == [])
        }
    }

    // MARK: Writing

    @Test func aFileIsReplacedAndKeepsItsPermissions() async throws {
        try await TemporaryFolder.with { folder in
            let path = try folder.write([1, 2, 3], to: "file")
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            try FileSystem.writeAtomically(path, [4])
            #expect(try folder.read("file") == [4])
            #expect(try permissions(path) == 0o640)
            let count = try FileSystem.writeAtomically(path) { file in
                try file.write([5, 6], at: 0)
                return 2
            }
            #expect(count == 2)
            #expect(try folder.read("file") == [5, 6])
            #expect(try permissions(path) == 0o640)
            #expect(try FileSystem.names(in: folder.path) == ["file"])
        }
    }

    @Test func aFailureLeavesTheOldContentAndNothingElse() async throws {
        try await TemporaryFolder.with { folder in
            let path = try folder.write([1], to: "file")
            #expect(throws: Stop.self) {
                try FileSystem.writeAtomically(path) { file in
                    try file.write([2], at: 0)
                    throw Stop()
                }
            }
            #expect(throws: CancellationError.self) {
                try FileSystem.writeAtomically(folder.path(of: "new")) { _ in
                    throw CancellationError()
                }
            }
            #expect(try folder.read("file") == [1])
            #expect(try FileSystem.names(in: folder.path) == ["file"])
        }
    }

    @Test func aDeviceOrFolderIsNotReplaced() async throws {
        try await TemporaryFolder.with { folder in
            let pipe = folder.path(of: "pipe")
            try #require(unsafe mkfifo(pipe, 0o600) == 0)
            try folder.write([1], to: "folder/file")
            for path in [pipe, folder.path(of: "folder")] {
                #expect(throws: ZooError(.notAFile, "")) {
                    try FileSystem.writeAtomically(path, [1])
                }
            }
            #expect(throws: ZooError(.fileMissing, "")) {
                try FileSystem.writeAtomically(folder.path(of: "none/file"), [1])
            }
            #expect(try FileSystem.names(in: folder.path) == ["folder", "pipe"])
        }
    }

    @Test func readersSeeTheOldContentOrTheNew() async throws {
        try await TemporaryFolder.with { folder in
            let path = try folder.write([UInt8](repeating: 0, count: 100_000), to: "file")
            async let writing: Void = BlockingWork.run { _ in
                for value in 1...50 {
                    let bytes = [UInt8](repeating: UInt8(value), count: 100_000)
                    try FileSystem.writeAtomically(path, bytes)
                }
            }
            try await BlockingWork.run { _ in
                for _ in 0..<200 {
                    let bytes = try FileSystem.document(path, limit: 1 << 20)
                    #expect(bytes.count == 100_000 && Set(bytes).count == 1)
                }
            }
            try await writing
        }
    }
}
