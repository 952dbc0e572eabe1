// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The staging area of a release that is being installed: partial files and a journal of blocks.
///
/// The release becomes visible when ``commit(_:files:)`` renames the folder. The journal lists the
/// blocks to check on resume; each block is hashed again before it counts as verified.
package final class StagingArea: Sendable {
    /// One block of one archive.
    package struct BlockIndex: Hashable, Sendable {
        /// The archive's position in the manifest.
        package let archive: Int
        /// The block's position in its table.
        package let block: Int

        /// Creates a block index.
        package init(archive: Int, block: Int) {
            self.archive = archive
            self.block = block
        }
    }

    /// The final path of the model folder.
    package let destination: String
    /// The folder of the files before the commit.
    package let files: String
    private let folder: PrivateFolder
    private let lock: OpenFile
    private let journal: OpenFile

    /// Opens or resumes a staging area unless another process uses it.
    ///
    /// - Parameters:
    ///   - folder: the staging folder, on the file system of the destination.
    ///   - destination: the final path of the model folder.
    /// - Returns: nil while another process holds the lock.
    /// - Throws: ``ZooError`` with code `io.folder-not-private` when other users can write to the
    ///   folder, or `io.*`.
    package static func open(
        _ folder: String,
        destination: String
    ) throws(ZooError) -> StagingArea? {
        try FileSystem.createFolder(FileSystem.parent(of: folder))
        while true {
            let lock = try OpenFile("\(folder).lock", .write)
            guard lock.tryLock() else { return nil }
            // The previous holder may have removed the lock file; a lock on an unlinked file does not
            // exclude other processes.
            guard lock.isAtPath() else { continue }
            return try StagingArea(folder: folder, destination: destination, lock: lock)
        }
    }

    private init(folder: String, destination: String, lock: OpenFile) throws(ZooError) {
        // Somebody else may have put a folder or a link there, to change the files or to have others
        // removed and written.
        self.folder = try PrivateFolder(folder)
        self.destination = destination
        self.lock = lock
        files = "\(folder)/files"
        if try FileSystem.status(files) == nil { try FileSystem.createFolder(files) }
        try PrivateFolder.requireOwned(files)
        let path = "\(folder)/blocks"
        if try FileSystem.status(path)?.kind == .file { try FileSystem.makeWritable(path) }
        journal = try OpenFile(path, .write)
    }

    /// Checks that this user owns every folder of the area, and that nobody replaced it.
    private func requirePrivate() throws(ZooError) {
        try folder.requireUnchanged()
        for path in try subfolders(of: files) { try PrivateFolder.requireOwned(path) }
    }

    private static let rowSize = 8

    /// Reads the journal of an earlier run: the recorded blocks and the number of rows.
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

    /// Records that a block was written; each row has 8 bytes at its own offset, so rows never tear.
    package func record(_ index: BlockIndex, row: Int) throws(ZooError) {
        func bytes(_ value: Int) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        try journal.write(bytes(index.archive) + bytes(index.block), at: row * Self.rowSize)
    }

    /// Removes staged files that are not in `wanted`.
    package func keepOnly(_ wanted: Set<ReleasePath>) throws(ZooError) {
        try requirePrivate()
        let names = Set(wanted.map { ExactName($0.text) })
        for name in try FileSystem.files(below: files) where !names.contains(ExactName(name)) {
            try FileSystem.remove("\(files)/\(name)")
        }
    }

    /// Installs the release with one rename; the files must be synced to disk before.
    ///
    /// - Parameters:
    ///   - receipt: the documents of the release.
    ///   - expected: the verified files of the release; the folder must contain exactly these.
    /// - Returns: why the attachments were left out, because the disk has no place for them; nil if they were kept.
    /// - Throws: ``ZooError`` with code `store.destination-taken` when the destination exists,
    ///   `store.staging-mismatch` when the staged files differ from the expected files.
    package func commit(
        _ receipt: InstallReceipt,
        files expected: [ReleaseRecord.File]
    ) throws(ZooError) -> ZooError? {
        try FileSystem.createFolder(FileSystem.parent(of: destination))
        try receipt.write(to: files)
        try synchronizeFolders()
        let leftOut = try addAttachments(of: receipt)
        try requirePrivate()
        try requireExactly(expected, leftOut == nil ? receipt : receipt.withoutAttachments)
        do throws(ZooError) {
            try FileSystem.rename(files, to: destination)
        } catch {
            guard error.code == .fileExists else { throw error }
            throw ZooError(
                .destinationTaken,
                "'\(destination)' already exists and is not this release",
                remedy: "choose another folder, or move the existing one",
                cause: error
            )
        }
        try discard()
        return leftOut
    }

    /// Writes the attachments after everything that the release needs is durable.
    ///
    /// - Returns: the error of a full disk, after which none of them is kept; nil if they were written. Any other
    ///   error is thrown: a disk reports lost bytes only once, so nothing may be tried again after it.
    private func addAttachments(of receipt: InstallReceipt) throws(ZooError) -> ZooError? {
        guard !receipt.attachments.isEmpty else { return nil }
        do throws(ZooError) {
            try receipt.writeAttachments(toStaged: files)
            try synchronizeFolders()
            return nil
        } catch  where error.code == .diskFull {
            try FileSystem.remove("\(files)/\(InstalledRelease.attachmentsFolder)")
            if receipt.documentNames.contains(InstalledRelease.signatureName) {
                try FileSystem.remove("\(files)/\(InstalledRelease.signatureName)")
            }
            try synchronizeFolders()
            return error
        }
    }

    private func synchronizeFolders() throws(ZooError) {
        for name in try subfolders(of: files) { try FileSystem.synchronizeFolder(name) }
    }

    private func requireExactly(
        _ expected: [ReleaseRecord.File],
        _ receipt: InstallReceipt
    ) throws(ZooError) {
        var found: [ExactName: FileStatus] = [:]
        for name in try FileSystem.files(below: files) {
            found[ExactName(name)] = try FileSystem.status("\(files)/\(name)")
        }
        let wanted = Set(expected.map(\.path.text) + receipt.documentNames).map(ExactName.init)
        var differing = Set(found.keys).symmetricDifference(wanted)
        for file in expected {
            let status = found[ExactName(file.path.text)]
            // A second name would let somebody change the file after its verification.
            if status?.size != file.size || status?.links != 1 {
                differing.insert(ExactName(file.path.text))
            }
        }
        guard differing.isEmpty else {
            throw ZooError(
                .stagingMismatch,
                "'\(files)' does not contain exactly the verified files: "
                    + differing.sorted().map(\.text).joined(separator: ", "),
                remedy: "remove '\(folder.path)' and pull again"
            )
        }
    }

    /// Replaces the attachments that an installed folder keeps.
    ///
    /// Whatever is at their place is moved to this area, which only this user can enter, and never followed or
    /// written to: it may be a link that somebody else put there, at any moment. Interrupted, the folder keeps the old
    /// attachments or none; the next repair completes it.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - receipt: what the folder keeps from now on.
    /// - Returns: the paths in the folder of what was missing, different or removed, sorted.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func replaceAttachments(
        in folder: String,
        with receipt: InstallReceipt
    ) throws(ZooError) -> [String] {
        let place = "\(folder)/\(InstalledRelease.attachmentsFolder)"
        let wanted = Dictionary(
            uniqueKeysWithValues: receipt.attachedFiles.map { ($0.name, $0.bytes) }
        )
        let isFolder = try FileSystem.status(place).map { $0.kind == .folder }
        if isFolder == nil, wanted.isEmpty { return [] }
        let present = isFolder == true ? try? FileSystem.names(in: place) : []
        var changed = Set(wanted.keys).symmetricDifference(present ?? [])
        for (name, bytes) in wanted where !changed.contains(name) {
            let found = try? FileSystem.document("\(place)/\(name)", limit: bytes.count)
            if found != bytes { changed.insert(name) }
        }
        let isSound = isFolder != false && present != nil
        guard !isSound || !changed.isEmpty else { return [] }

        let (new, old) = ("\(self.folder.path)/attachments", "\(self.folder.path)/replaced")
        for path in [new, old] { try FileSystem.remove(path) }
        if !wanted.isEmpty {
            try FileSystem.createFolder(new)
            for (name, bytes) in wanted { try InstallReceipt.write(bytes, to: "\(new)/\(name)") }
            try FileSystem.synchronizeFolder(new)
        }
        try requirePrivate()
        if isFolder != nil { try FileSystem.rename(place, to: old) }
        if !wanted.isEmpty { try FileSystem.rename(new, to: place) }
        // It may hold what this user cannot remove; it lies outside the model folder in any case.
        try? FileSystem.remove(old)
        return changed.isEmpty
            ? [InstalledRelease.attachmentsFolder]
            : changed.map { "\(InstalledRelease.attachmentsFolder)/\($0)" }.sorted()
    }

    private func subfolders(of folder: String) throws(ZooError) -> [String] {
        var found = [folder]
        for name in try FileSystem.names(in: folder) {
            let path = "\(folder)/\(name)"
            if try FileSystem.status(path)?.kind == .folder { found += try subfolders(of: path) }
        }
        return found
    }

    /// Removes the staging area.
    ///
    /// The lock file is removed last, so that no other process starts here before.
    package func discard() throws(ZooError) {
        try FileSystem.remove(folder.path)
        try FileSystem.remove(lock.path)
    }
}
