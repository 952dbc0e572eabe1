// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// The files of one archive in a folder, addressed by their place in the raw tar stream.
///
/// Extraction and its inverse in one type: ``write(_:at:)`` puts a verified stretch of the stream
/// where it belongs, ``read(_:)`` makes the stream again from the files. Nothing is ever parsed:
/// bytes between files are compared with what the record determines.
package final class ArchiveFolder: Sendable {
    /// The archive.
    package let layout: ArchiveLayout
    /// The members that exist here; others are skipped when writing.
    private let files: [OpenFile?]

    /// Opens the files of an archive.
    ///
    /// - Parameters:
    ///   - layout: the archive.
    ///   - folder: the folder that holds the files, or will.
    ///   - mode: `.read` for files that are there, `.write` to make them.
    ///   - included: which files are wanted.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init(
        _ layout: ArchiveLayout,
        in folder: String,
        _ mode: OpenFile.Mode,
        including included: (ReleasePath) -> Bool = { _ in true }
    ) throws(ZooError) {
        self.layout = layout
        var files: [OpenFile?] = []
        for member in layout.members {
            guard included(member.path) else {
                files.append(nil)
                continue
            }
            let path = "\(folder)/\(member.path)"
            if case .read = mode {
                files.append(try OpenFile(path, .read))
            } else {
                try FileSystem.createFolder(FileSystem.parent(of: path))
                let file = try OpenFile(path, .write)
                try file.resize(to: member.size)
                files.append(file)
            }
        }
        self.files = files
    }

    /// Whether any wanted file has content in `range` of the raw stream.
    package func needs(_ range: Range<Int>) -> Bool {
        layout.pieces(of: range).contains { piece in
            guard case .content(let member, _) = piece else { return false }
            return files[member] != nil
        }
    }

    /// The paths of wanted files with content in `range`, for messages.
    package func paths(in range: Range<Int>) -> [ReleasePath] {
        layout.pieces(of: range).compactMap { piece in
            guard case .content(let member, _) = piece, files[member] != nil else { return nil }
            return layout.members[member].path
        }
    }

    /// Writes a verified stretch of the raw stream to its files.
    ///
    /// - Parameters:
    ///   - raw: the bytes.
    ///   - offset: their place in the raw stream.
    /// - Throws: ``ZooError`` with code `archive.member-mismatch` when bytes between files are not
    ///   those of the layout, or `io.*`.
    package func write(_ raw: BlockBuffer, at offset: Int) throws(ZooError) {
        unsafe try raw.withBytes { raw throws(ZooError) in
            var position = 0
            for piece in layout.pieces(of: offset..<offset + raw.count) {
                let length = piece.length
                let part = unsafe UnsafeRawBufferPointer(
                    rebasing: raw[position..<position + length]
                )
                switch piece {
                case .fixed(let bytes):
                    guard unsafe part.elementsEqual(bytes) else {
                        throw .memberMismatch(layout, at: offset + position)
                    }
                case .content(let member, let range):
                    unsafe try files[member]?.write(part, at: range.lowerBound)
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
                guard let file = files[member] else {
                    let path = layout.members[member].path
                    throw ZooError(.fileMissing, "'\(path)' was not fetched")
                }
                unsafe try raw.append(part.count) { room throws(ZooError) in
                    unsafe try file.read(into: room, at: part.lowerBound)
                }
            }
        }
    }

    /// Waits until all files are on the disk and makes them read-only.
    package func seal() throws(ZooError) {
        for file in files {
            try file?.synchronize()
            try file?.makeImmutable()
        }
    }
}
