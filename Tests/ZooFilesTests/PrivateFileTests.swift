// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// Files and folders that nobody else may share.
@Suite struct PrivateFileTests {
    // MARK: Hard links

    @Test func aFileWithAnotherNameIsReplacedByACopy() async throws {
        try await TemporaryFolder.with { folder in
            let size = (1 << 20) + 7
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let other = try folder.write(bytes, to: "other")
            try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: other)
            let path = folder.path(of: "file")
            try FileManager.default.linkItem(atPath: other, toPath: path)

            try FileSystem.makeWritable(path)
            try OpenFile(path, .write).write([1, 2, 3], at: 0)
            #expect(try folder.read("other") == bytes)
            #expect(try folder.read("file") == [1, 2, 3] + bytes.dropFirst(3))
            let (kept, copy) = (
                try #require(try FileSystem.status(other)),
                try #require(try FileSystem.status(path))
            )
            #expect((kept.permissions, kept.links) == (0o444, 1))
            #expect((copy.permissions, copy.links) == (0o644, 1))
            #expect(try FileSystem.names(in: folder.path) == ["file", "other"])
        }
    }

    @Test(arguments: [0o444, 0o000, 0o200])
    func aFileOfOneNameIsMadeWritableInPlace(mode: Int) async throws {
        try await TemporaryFolder.with { folder in
            let path = try folder.write([1], to: "file")
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let inode = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber]
            try FileSystem.makeWritable(path)
            #expect(try FileSystem.status(path)?.permissions == 0o644)
            let after = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber]
            #expect(inode as? Int == after as? Int)
        }
    }

    @Test func aLinkIsNotFollowed() async throws {
        try await TemporaryFolder.with { folder in
            let target = try folder.write([1], to: "target")
            try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: target)
            let path = folder.path(of: "link")
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
            #expect(throws: ZooError(.notAFile, "")) { try FileSystem.makeWritable(path) }
            #expect(try FileSystem.status(target)?.permissions == 0o400)
        }
    }

    // MARK: Private folders

    @Test func aNewFolderIsForItsOwnerAlone() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "a/b")
            let first = try PrivateFolder(path)
            #expect(try FileSystem.status(path)?.permissions == 0o700)
            // A folder that others could only read is taken, and closed to them.
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            try first.requireUnchanged()
            _ = try PrivateFolder(path)
            #expect(try FileSystem.status(path)?.permissions == 0o700)
        }
    }

    @Test(arguments: [0o775, 0o757, 0o777, 0o1777, 0o720])
    func aFolderThatOthersCanWriteToIsRefused(mode: Int) async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "shared")
            let open = try PrivateFolder(path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let error = #expect(throws: ZooError(.folderNotPrivate, "")) { try PrivateFolder(path) }
            #expect(error?.message.contains(String(mode, radix: 8)) == true)
            #expect(throws: ZooError(.folderNotPrivate, "")) { try open.requireUnchanged() }
            // The remedy works.
            try FileSystem.remove(path)
            _ = try PrivateFolder(path)
        }
    }

    @Test func aFolderThatWasReplacedIsNoticed() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "area")
            let open = try PrivateFolder(path)
            try FileSystem.rename(path, to: folder.path(of: "away"))
            #expect(throws: ZooError(.folderNotPrivate, "")) { try open.requireUnchanged() }
            _ = try PrivateFolder(path)
            #expect(throws: ZooError(.folderNotPrivate, "")) { try open.requireUnchanged() }
        }
    }

    @Test func aFileOrALinkInItsPlaceIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let file = try folder.write([1], to: "file")
            let link = folder.path(of: "link")
            try FileManager.default.createSymbolicLink(
                atPath: link,
                withDestinationPath: folder.path
            )
            for path in [file, link] {
                #expect(throws: ZooError(.folderNotPrivate, "")) { try PrivateFolder(path) }
            }
        }
    }

    @Test(.enabled("only root can give a folder to another user") { geteuid() == 0 })
    func aFolderOfAnotherUserIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "area")
            _ = try PrivateFolder(path)
            try #require(unsafe chown(path, 65534, 65534) == 0)
            let error = #expect(throws: ZooError(.folderNotPrivate, "")) { try PrivateFolder(path) }
            #expect(error?.message.contains("65534") == true)
            #expect(throws: ZooError(.folderNotPrivate, "")) {
                try PrivateFolder.requireOwned(path)
            }
        }
    }
}
