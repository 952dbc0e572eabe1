// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
package import ZooFiles

/// A place where a folder has the bytes of a block.
package struct BlockPlace: Sendable {
    let folder: ArchiveFolder
    let range: Range<Int>

    /// Creates a place.
    ///
    /// - Parameters:
    ///   - folder: the files of an archive.
    ///   - range: a range of its raw stream.
    package init(folder: ArchiveFolder, range: Range<Int>) {
        self.folder = folder
        self.range = range
    }
}

/// The files of one archive in a folder, addressed by offset in the raw tar stream.
///
/// ``write(_:)`` extracts a verified block into the files, and ``read(_:into:)`` rebuilds the stream
/// from the files. Tar headers are never parsed: the bytes between files are compared with the
/// layout. At most 32 files are open at a time.
package final class ArchiveFolder: Sendable {
    /// The archive.
    package let layout: ArchiveLayout
    private let folder: String
    private let mode: OpenFile.Mode
    /// Whether each member is extracted here; others are skipped when writing.
    private let included: [Bool]
    private let open = Mutex(OpenMembers())

    /// Opens the files of an archive.
    ///
    /// - Parameters:
    ///   - layout: the layout of the archive.
    ///   - folder: the folder of the files.
    ///   - mode: `.read` for existing files; `.write` creates missing files, replaces files that have
    ///     other names (hard links) with private copies, and resizes all files.
    ///   - included: selects the files to read or write.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init(
        _ layout: ArchiveLayout,
        in folder: String,
        _ mode: OpenFile.Mode,
        including included: (ReleasePath) -> Bool = { _ in true }
    ) throws(ZooError) {
        self.layout = layout
        self.folder = folder
        self.mode = mode
        self.included = layout.members.map { included($0.path) }
        guard mode == .write else { return }
        for (index, member) in layout.members.enumerated() where self.included[index] {
            let path = "\(folder)/\(member.path)"
            try FileSystem.createFolder(FileSystem.parent(of: path))
            // An interrupted run may have made the file read-only, and the file may have other names.
            if try FileSystem.status(path)?.kind == .file { try FileSystem.makeWritable(path) }
            try file(index).resize(to: member.size)
        }
    }

    /// Returns an open member and opens it if necessary.
    private func file(_ member: Int) throws(ZooError) -> OpenFile {
        if let file = open.withLock({ $0[member] }) { return file }
        let file = try OpenFile("\(folder)/\(layout.members[member].path)", mode)
        // Another name may have been made since the initialiser replaced such files.
        if mode == .write, try file.status().links > 1 {
            throw ZooError(
                .fileChanged,
                "'\(file.path)' got another name (hard link) while it was written to",
                remedy: "run the command again while nothing else uses the folder"
            )
        }
        open.withLock { $0.insert(file, member) }
        return file
    }

    /// Whether any included file has content in `range` of the raw stream.
    package func needs(_ range: Range<Int>) -> Bool {
        layout.contents(in: range).contains { included[$0.member] }
    }

    /// Whether `range` of the raw stream can be rebuilt from the included files.
    package func holds(_ range: Range<Int>) -> Bool {
        layout.contents(in: range).allSatisfy { included[$0.member] }
    }

    /// The paths of included files with content in `range`, for messages.
    package func paths(in range: Range<Int>) -> [ReleasePath] {
        layout.contents(in: range).filter { included[$0.member] }
            .map { layout.members[$0.member].path }
    }

    /// Writes a verified block to its files.
    ///
    /// - Throws: ``ZooError`` with code `archive.member-mismatch` when bytes between files differ
    ///   from the layout, or `io.*`.
    package func write(_ block: borrowing VerifiedBlock) throws(ZooError) {
        try write(block, except: [:])
    }

    /// Writes a verified block, except for a range of each file that has the bytes already.
    private func write(
        _ block: borrowing VerifiedBlock,
        except present: [Int: Range<Int>]
    ) throws(ZooError) {
        let range = block.block.rawRange
        unsafe try block.withBytes { raw throws(ZooError) in
            var position = 0
            for piece in layout.pieces(of: range) {
                let length = piece.length
                let part = unsafe UnsafeRawBufferPointer(
                    rebasing: raw[position..<position + length]
                )
                switch piece {
                case .fixed(let bytes):
                    guard unsafe part.elementsEqual(bytes) else {
                        throw .memberMismatch(layout, at: range.lowerBound + position)
                    }
                case .content(let member, let range) where included[member]:
                    let present = present[member] ?? range.lowerBound..<range.lowerBound
                    for missing in [
                        range.lowerBound..<present.lowerBound,
                        present.upperBound..<range.upperBound,
                    ] {
                        unsafe try write(
                            part,
                            from: range.lowerBound,
                            missing,
                            to: try file(member)
                        )
                    }
                case .content: break
                }
                position += length
            }
        }
    }

    /// Writes a range of a file, of whose bytes from `start` on `bytes` are a copy.
    private func write(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        _ range: Range<Int>,
        to file: OpenFile
    ) throws(ZooError) {
        guard !range.isEmpty else { return }
        let part = range.lowerBound - start..<range.upperBound - start
        unsafe try file.write(UnsafeRawBufferPointer(rebasing: bytes[part]), at: range.lowerBound)
        // The disk works while the next blocks arrive, and not only in seal().
        file.startWriteback(range)
    }

    /// Writes a verified block to its files, and shares disk blocks with its place in another folder
    /// where the file system can.
    ///
    /// - Parameters:
    ///   - block: the block.
    ///   - place: where the same bytes are.
    /// - Returns: whether anything is shared. Then what the files hold must be verified again.
    /// - Throws: as ``write(_:)``.
    package func write(
        _ block: borrowing VerifiedBlock,
        sharing place: BlockPlace
    ) throws(ZooError) -> Bool {
        let range = block.block.rawRange
        var shared: [Int: Range<Int>] = [:]
        if place.range.count == range.count, holds(range), place.folder.holds(place.range) {
            let shift = place.range.lowerBound - range.lowerBound
            for (member, part) in layout.contents(in: range) {
                shared[member] = try share(part, of: member, with: place.folder, shift)
            }
        }
        try write(block, except: shared)
        return !shared.isEmpty
    }

    /// Shares the disk blocks of a part of a file.
    ///
    /// - Parameters:
    ///   - part: the range of the file.
    ///   - member: the file.
    ///   - other: the folder to share with.
    ///   - shift: where the same bytes are in its raw stream, minus where they are in this one.
    /// - Returns: the range of the file that is shared; nil where the file system cannot.
    /// - Throws: ``ZooError`` with an `io.*` code when a file cannot be opened.
    private func share(
        _ part: Range<Int>,
        of member: Int,
        with other: ArchiveFolder,
        _ shift: Int
    ) throws(ZooError) -> Range<Int>? {
        let start = layout.members[member].contentOffset + shift
        let found = other.layout.contents(in: start + part.lowerBound..<start + part.upperBound)
        guard found.count == 1, let found = found.first, found.range.count == part.count else {
            return nil
        }
        // Only whole units at the same distance from a unit in both files can be shared.
        let unit = OpenFile.cloneUnit
        let first = (part.lowerBound + unit - 1) / unit * unit
        let last = part.upperBound / unit * unit
        let distance = found.range.lowerBound - part.lowerBound
        guard first < last, distance % unit == 0,
            try file(member).clone(
                try other.file(found.member),
                first + distance..<last + distance,
                to: first
            )
        else { return nil }
        return first..<last
    }

    /// Rebuilds a range of the raw stream from the files.
    ///
    /// - Parameters:
    ///   - range: the range, at most one block long.
    ///   - raw: receives the bytes.
    /// - Throws: ``ZooError`` with an `io.*` code; a file that is not included counts as missing.
    package func read(_ range: Range<Int>, into raw: BlockBuffer) throws(ZooError) {
        raw.removeAll()
        for piece in layout.pieces(of: range) {
            switch piece {
            case .fixed(let bytes): unsafe raw.append(bytes.span.bytes)
            case .content(let member, let part):
                guard included[member] else {
                    let path = layout.members[member].path
                    throw ZooError(.fileMissing, "'\(path)' was not fetched")
                }
                let file = try file(member)
                unsafe try raw.append(part.count) { room throws(ZooError) in
                    unsafe try file.read(into: room, at: part.lowerBound)
                }
            }
        }
    }

    /// Syncs all files to disk and makes them read-only.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; a file that cannot be synchronised is removed.
    package func seal() throws(ZooError) {
        for member in layout.members.indices where included[member] {
            let file = try file(member)
            do throws(ZooError) {
                try file.synchronize()
            } catch {
                // The system reports lost bytes once: a resumed pull would find them in the page cache, and
                // succeed without them on disk.
                try? FileSystem.remove(file.path)
                throw error
            }
            try file.makeImmutable()
        }
    }

    /// The most recently opened members.
    ///
    /// Others are closed, because a process may open only about a thousand files and a release may
    /// have ten thousand.
    private struct OpenMembers {
        private static let limit = 32
        private var files: [Int: OpenFile] = [:]
        private var order: [Int] = []

        subscript(_ member: Int) -> OpenFile? { files[member] }

        mutating func insert(_ file: OpenFile, _ member: Int) {
            guard files.updateValue(file, forKey: member) == nil else { return }
            order.append(member)
            if order.count > Self.limit { files[order.removeFirst()] = nil }
        }
    }
}
