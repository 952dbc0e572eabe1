// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
package import ZooFiles

/// The files of one archive in a folder, addressed by their place in the raw tar stream.
///
/// Extraction and its inverse in one type: ``write(_:)`` puts a verified block where it belongs,
/// ``read(_:into:)`` makes the stream again from the files. Nothing is ever parsed: bytes between
/// files are compared with what the record determines. Few files are open at a time, however many the
/// archive has.
package final class ArchiveFolder: Sendable {
    /// The archive.
    package let layout: ArchiveLayout
    private let folder: String
    private let mode: OpenFile.Mode
    /// Which members exist here; others are skipped when writing.
    private let included: [Bool]
    private let open = Mutex(OpenMembers())

    /// Prepares access to the files of an archive.
    ///
    /// - Parameters:
    ///   - layout: the archive.
    ///   - folder: the folder that holds the files, or will.
    ///   - mode: `.read` for files that are there; `.write` makes those that are not, and gives all
    ///     of them their length.
    ///   - included: which files are wanted.
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
            // An interrupted run may have sealed it already.
            if try FileSystem.status(path)?.kind == .file { try FileSystem.makeWritable(path) }
            try OpenFile(path, .write).resize(to: member.size)
        }
    }

    /// An open member; opened when it is not.
    private func file(_ member: Int) throws(ZooError) -> OpenFile {
        if let file = open.withLock({ $0[member] }) { return file }
        let file = try OpenFile("\(folder)/\(layout.members[member].path)", mode)
        open.withLock { $0.insert(file, member) }
        return file
    }

    /// Whether any wanted file has content in `range` of the raw stream.
    package func needs(_ range: Range<Int>) -> Bool {
        layout.contents(in: range).contains { included[$0.member] }
    }

    /// Whether every byte of `range` of the raw stream can be made from the wanted files.
    package func holds(_ range: Range<Int>) -> Bool {
        layout.contents(in: range).allSatisfy { included[$0.member] }
    }

    /// The paths of wanted files with content in `range`, for messages.
    package func paths(in range: Range<Int>) -> [ReleasePath] {
        layout.contents(in: range).filter { included[$0.member] }
            .map { layout.members[$0.member].path }
    }

    /// Writes a verified block to its files.
    ///
    /// - Throws: ``ZooError`` with code `archive.member-mismatch` when bytes between files are not
    ///   those of the layout, or `io.*`.
    package func write(_ block: borrowing VerifiedBlock) throws(ZooError) {
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
                case .content(let member, let range):
                    if included[member] {
                        unsafe try file(member).write(part, at: range.lowerBound)
                    }
                }
                position += length
            }
        }
    }

    /// Makes a stretch of the raw stream from the files.
    ///
    /// - Parameters:
    ///   - range: the stretch, not longer than a block.
    ///   - raw: receives it.
    /// - Throws: ``ZooError`` with an `io.*` code; a file that is not wanted here counts as missing.
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

    /// Waits until all files are on the disk and makes them read-only.
    package func seal() throws(ZooError) {
        for member in layout.members.indices where included[member] {
            let file = try file(member)
            try file.synchronize()
            try file.makeImmutable()
        }
    }

    /// The members that were used last; the others are closed, because a process may open only about
    /// a thousand files and a release may have ten thousand.
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
