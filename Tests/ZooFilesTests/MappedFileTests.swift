// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// Files that change while they are mapped.
@Suite struct MappedFileTests {
    private static let page = Int(getpagesize())

    /// A mapped file of `pages` pages of ones, and its path.
    private func mapped(
        pages: Int,
        in folder: TemporaryFolder
    ) throws -> (file: MappedFile, path: String) {
        let path = try folder.write([UInt8](repeating: 1, count: pages * Self.page), to: "file")
        return (try MappedFile(path), path)
    }

    private func sum(_ file: MappedFile) -> Int {
        unsafe file.bytes.reduce(0) { $0 + Int($1) }
    }

    private func resize(_ path: String, to size: Int) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        try handle.truncate(atOffset: UInt64(size))
        try handle.close()
    }

    @Test func aFileThatStaysAsItIsIsIntact() async throws {
        try await TemporaryFolder.with { folder in
            let (file, _) = try mapped(pages: 3, in: folder)
            #expect(sum(file) == 3 * Self.page)
            try file.requireIntact()
            #expect(try file.bytes(1..<4) == [1, 1, 1])
        }
    }

    @Test(arguments: [0, 1])
    func truncationNeitherEndsTheProcessNorPassesForZeros(pagesLeft: Int) async throws {
        try await TemporaryFolder.with { folder in
            let (file, path) = try mapped(pages: 64, in: folder)
            try resize(path, to: pagesLeft * Self.page)
            // Without the handler, this ends the tests with SIGBUS.
            #expect(sum(file) == pagesLeft * Self.page)
            #expect(throws: ZooError(.fileTruncated, "")) { try file.requireIntact() }
            #expect(throws: ZooError(.fileTruncated, "")) { try MappedFile.requireAllIntact() }
            #expect(throws: ZooError(.fileTruncated, "")) {
                try file.bytes(63 * Self.page..<64 * Self.page)
            }
        }
    }

    @Test func aFileThatLosesPartOfAPageIsNoticed() async throws {
        try await TemporaryFolder.with { folder in
            let (file, path) = try mapped(pages: 2, in: folder)
            // The kernel fills the rest of the page with zeros, without a signal.
            try resize(path, to: Self.page + 10)
            #expect(sum(file) == Self.page + 10)
            #expect(throws: ZooError(.fileTruncated, "")) { try file.requireIntact() }
        }
    }

    @Test func aFileThatIsWrittenToIsNoticed() async throws {
        try await TemporaryFolder.with { folder in
            let (file, path) = try mapped(pages: 1, in: folder)
            let handle = try FileHandle(forUpdating: URL(filePath: path))
            try handle.write(contentsOf: [2])
            try handle.close()
            #expect(throws: ZooError(.fileChanged, "")) { try file.requireIntact() }
        }
    }

    @Test func aFileThatIsReplacedStaysReadable() async throws {
        try await TemporaryFolder.with { folder in
            let (file, path) = try mapped(pages: 2, in: folder)
            try FileSystem.writeAtomically(path, [2])
            #expect(sum(file) == 2 * Self.page)
            try file.requireIntact()
        }
    }

    @Test func damageOutlivesTheMapping() async throws {
        try await TemporaryFolder.with { folder in
            do {
                let (file, path) = try mapped(pages: 4, in: folder)
                try resize(path, to: 0)
                #expect(sum(file) == 0)
            }
            #expect(throws: ZooError(.fileTruncated, "")) { try MappedFile.requireAllIntact() }
        }
    }

    @Test func manyThreadsMeetTheSameDamage() async throws {
        try await TemporaryFolder.with { folder in
            let (file, path) = try mapped(pages: 256, in: folder)
            try resize(path, to: Self.page)
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                #expect(sum(file) == Self.page)
            }
            #expect(throws: ZooError(.fileTruncated, "")) { try file.requireIntact() }
        }
    }

    @Test func anEmptyFileHasNoBytes() async throws {
        try await TemporaryFolder.with { folder in
            let file = try MappedFile(try folder.write([], to: "empty"))
            #expect(file.byteCount == 0)
            try file.requireIntact()
            #expect(try file.bytes(0..<0) == [])
        }
    }
}
