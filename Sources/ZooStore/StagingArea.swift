// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A release on its way in: files being filled, and a journal of the blocks that are in place.
///
/// Nothing here is visible as a release until ``commit(_:files:)`` renames the folder. The journal is
/// a hint of what to check on resume, never a proof: blocks are hashed again before they count.
package final class StagingArea: Sendable {
    /// One block of one archive.
    package struct BlockIndex: Hashable, Sendable {
        /// The archive's position in the manifest.
        package let archive: Int
        /// The block's position in its table.
        package let block: Int

        /// A block.
        package init(archive: Int, block: Int) {
            self.archive = archive
            self.block = block
        }
    }

    /// Where the finished folder goes.
    package let destination: String
    /// Where the files are written until then.
    package let files: String
    private let folder: String
    private let lock: OpenFile
    private let journal: OpenFile

    /// Opens or resumes a staging area, if no other process is at work in it.
    ///
    /// - Parameters:
    ///   - folder: the staging folder, on the file system of the destination.
    ///   - destination: where the finished folder goes.
    /// - Returns: nil while another process holds the area.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package static func open(
        _ folder: String,
        destination: String
    ) throws(ZooError) -> StagingArea? {
        try FileSystem.createFolder(FileSystem.parent(of: folder))
        while true {
            let lock = try OpenFile("\(folder).lock", .write)
            guard lock.tryLock() else { return nil }
            // Whoever held the lock may have finished and removed its file; a lock on a file that
            // nobody finds any more excludes nobody.
            guard lock.isAtPath() else { continue }
            return try StagingArea(folder: folder, destination: destination, lock: lock)
        }
    }

    private init(folder: String, destination: String, lock: OpenFile) throws(ZooError) {
        self.folder = folder
        self.destination = destination
        self.lock = lock
        files = "\(folder)/files"
        try FileSystem.createFolder(files)
        journal = try OpenFile("\(folder)/blocks", .write)
    }

    private static let rowSize = 8

    /// What an earlier run left: the blocks it reported in place, and where the next row goes.
    package func journalled() throws(ZooError) -> (blocks: Set<BlockIndex>, rows: Int) {
        let count = try journal.status().size / Self.rowSize
        let rows = try journal.bytes(0..<count * Self.rowSize)
        func word(_ offset: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(rows[offset + $1]) << (8 * $1) }
        }
        var blocks: Set<BlockIndex> = []
        for offset in stride(from: 0, to: rows.count, by: Self.rowSize) {
            blocks.insert(BlockIndex(archive: word(offset), block: word(offset + 4)))
        }
        return (blocks, count)
    }

    /// Notes that a block is in place; a row is 8 bytes at a place of its own, so rows never tear.
    package func record(_ index: BlockIndex, row: Int) throws(ZooError) {
        func bytes(_ value: Int) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        try journal.write(bytes(index.archive) + bytes(index.block), at: row * Self.rowSize)
    }

    /// Removes what an earlier run left for files that are not wanted now.
    package func keepOnly(_ wanted: Set<ReleasePath>) throws(ZooError) {
        let names = Set(wanted.map(\.text))
        for name in try FileSystem.files(below: files) where !names.contains(name) {
            try FileSystem.remove("\(files)/\(name)")
        }
    }

    /// Makes the folder a release and visible, in one rename; the files are durable already.
    ///
    /// - Parameters:
    ///   - receipt: the documents to put beside the files.
    ///   - expected: the files of the release, all verified; the folder must hold these and no other.
    /// - Throws: ``ZooError`` with code `store.destination-taken` when something is at the
    ///   destination, `store.staging-mismatch` when the staged files are not the expected ones.
    package func commit(
        _ receipt: InstallReceipt,
        files expected: [ReleaseRecord.File]
    ) throws(ZooError) {
        try receipt.write(to: files)
        try requireExactly(expected)
        for name in try subfolders(of: files) { try FileSystem.synchronizeFolder(name) }
        try FileSystem.createFolder(FileSystem.parent(of: destination))
        do throws(ZooError) {
            try FileSystem.rename(files, to: destination)
        } catch {
            guard error.code == .fileExists else { throw error }
            throw ZooError(
                .destinationTaken,
                "'\(destination)' is there already and is not this release",
                remedy: "choose another folder, or move that one away",
                cause: error
            )
        }
        try discard()
    }

    private func requireExactly(_ expected: [ReleaseRecord.File]) throws(ZooError) {
        let receipts = InstalledRelease.receiptFolder + "/"
        var found: [String: Int] = [:]
        for name in try FileSystem.files(below: files) where !name.hasPrefix(receipts) {
            found[name] = try FileSystem.status("\(files)/\(name)")?.size
        }
        let wanted = Dictionary(uniqueKeysWithValues: expected.map { ($0.path.text, $0.size) })
        guard found == wanted else {
            let differing = Set(found.keys).symmetricDifference(wanted.keys).sorted()
            throw ZooError(
                .stagingMismatch,
                "'\(files)' does not hold the files that were verified"
                    + (differing.isEmpty ? "" : ": \(differing.joined(separator: ", "))"),
                remedy: "remove '\(folder)' and pull again"
            )
        }
    }

    private func subfolders(of folder: String) throws(ZooError) -> [String] {
        var found = [folder]
        for name in try FileSystem.names(in: folder) {
            let path = "\(folder)/\(name)"
            if try FileSystem.status(path)?.kind == .folder { found += try subfolders(of: path) }
        }
        return found
    }

    /// Removes what is staged.
    ///
    /// The lock goes last: until then nobody else may begin here.
    package func discard() throws(ZooError) {
        try FileSystem.remove(folder)
        try FileSystem.remove(lock.path)
    }
}
