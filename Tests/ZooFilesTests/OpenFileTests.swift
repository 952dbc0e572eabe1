// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// What lies where a file is expected.
@Suite(.timeLimit(.minutes(1)))
struct OpenFileTests {
    enum Reading: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case read, readFollowing, write, document, map
        var testDescription: String { rawValue }

        func callAsFunction(_ path: String) throws(ZooError) {
            switch self {
            case .read: _ = try OpenFile(path, .read)
            case .readFollowing: _ = try OpenFile(path, .readFollowing)
            case .write: _ = try OpenFile(path, .write)
            case .document: _ = try FileSystem.document(path, limit: 10)
            case .map: _ = try MappedFile(path)
            }
        }
    }

    @Test(arguments: Reading.allCases)
    func aPipeIsRefusedAtOnce(reading: Reading) async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "pipe")
            try #require(unsafe mkfifo(path, 0o600) == 0)
            #expect(throws: ZooError(.notAFile, "")) { try reading(path) }
        }
    }

    @Test(arguments: Reading.allCases)
    func aDeviceIsRefused(reading: Reading) {
        #expect(throws: ZooError(.notAFile, "")) { try reading("/dev/zero") }
    }

    @Test(arguments: [Reading.read, .readFollowing, .document, .map])
    func aFolderIsRefused(reading: Reading) async throws {
        _ = try await TemporaryFolder.with { folder in
            #expect(throws: ZooError(.notAFile, "")) { try reading(folder.path) }
        }
    }

    @Test(arguments: Reading.allCases)
    func aSocketIsRefused(reading: Reading) async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "socket")
            let run = try await ProgramRun(
                "python3",
                ["-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path]
            )
            try #require(run.status == 0, "\(run.errors)")
            #expect(throws: ZooError(.notAFile, "")) { try reading(path) }
        }
    }

    @Test(arguments: [Reading.read, .write, .document])
    func aSymbolicLinkIsRefusedByName(reading: Reading) async throws {
        try await TemporaryFolder.with { folder in
            let target = try folder.write([1], to: "target")
            let path = folder.path(of: "link")
            try FileManager.default.createSymbolicLink(
                atPath: path,
                withDestinationPath: target
            )
            let error = #expect(throws: ZooError(.notAFile, "")) { try reading(path) }
            #expect(error?.message.contains("a symbolic link") == true)
            #expect(try OpenFile(path, .readFollowing).bytes(0..<1) == [1])
            #expect(try FileSystem.document(path, limit: 1, followingLinks: true) == [1])
        }
    }

    /// A file of the system has the size 0 in its status.
    @Test func aFileIsReadToItsEnd() async throws {
        try await TemporaryFolder.with { folder in
            for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try folder.write(bytes, to: "file")
                let file = try OpenFile(folder.path(of: "file"), .read)
                #expect(try file.contents(limit: size) == bytes)
                guard size > 0 else { continue }
                #expect(throws: ZooError(.documentTooLarge, "")) {
                    try file.contents(limit: size - 1)
                }
            }
        }
        #if os(Linux)
        let file = try OpenFile("/proc/self/maps", .read)
        #expect(try file.status().size == 0)
        #expect(try file.contents(limit: 16 << 20).count > 100)
        #endif
    }

    @Test func aFileThatEndsEarlySaysWhere() async throws {
        try await TemporaryFolder.with { folder in
            let file = try OpenFile(try folder.write([1, 2, 3], to: "short"), .read)
            let error = #expect(throws: ZooError(.fileTruncated, "")) { try file.bytes(1..<9) }
            let message = error?.message ?? ""
            #expect(message.contains("byte 3") && message.contains("byte 9"), "\(message)")
        }
    }
}
