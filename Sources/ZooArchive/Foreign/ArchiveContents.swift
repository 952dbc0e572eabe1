// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooFiles

/// The files of an archive that others made, for reading in any order.
///
/// Each is a part of the archive itself, if that is an uncompressed tar file, or of one temporary file without a name, which
/// holds all of them. All calls block.
package struct ArchiveContents: Sendable {
    /// Where the bytes of a file are.
    package struct Place: Sendable {
        /// The file that holds them.
        package let file: OpenFile
        /// Which bytes of it.
        package let range: Range<Int>
    }

    /// The path of the archive.
    package let path: String
    /// The names of all files, in the order of the archive.
    package let names: [String]
    /// The names of the folders that the archive lists, in its order.
    package let folders: [String]
    private let places: [ExactName: Place]

    /// Opens an archive and reads it once; nil if the file is not an archive.
    ///
    /// - Parameters:
    ///   - path: the file; symbolic links are followed.
    ///   - spool: the folder of the temporary file.
    ///   - limits: the limits on members and sizes.
    ///   - cancellation: stops the reading.
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code; `CancellationError`.
    package init?(
        _ path: String,
        spool: String,
        limits: ArchiveLimits,
        _ cancellation: Cancellation
    ) throws {
        let archive = try OpenFile(path, .readFollowing)
        guard let kind = try ArchiveKind(of: archive) else { return nil }
        let cursor = try ArchiveCursor(archive, kind, for: .reading, limits, cancellation)
        var (names, folders): ([String], [String]) = ([], [])
        var places: [ExactName: Place] = [:]
        var copy: (file: OpenFile, end: Int)?
        while let member = try cursor.next() {
            guard !member.name.isEmpty else { continue }
            guard !member.isFolder else {
                folders.append(member.name)
                continue
            }
            names.append(member.name)
            var start: Int?
            var position = 0
            unsafe try cursor.read { bytes, offset in
                if let offset {
                    start = offset - position
                    return false
                }
                let target = try copy ?? (OpenFile.temporary(in: spool), 0)
                do throws(ZooError) {
                    unsafe try target.file.write(bytes, at: target.end)
                } catch {
                    throw error.code == .diskFull ? Self.noSpace(for: path, spool, error) : error
                }
                copy = (target.file, target.end + bytes.count)
                position += bytes.count
                return true
            }
            let range: Range<Int>
            let file: OpenFile
            if let start {
                (file, range) = (archive, start..<start + member.size)
            } else {
                let end = copy?.end ?? 0
                (file, range) = (copy?.file ?? archive, end - member.size..<end)
            }
            places[ExactName(member.name)] = Place(file: file, range: range)
        }
        self.path = path
        self.names = names
        self.folders = folders
        self.places = places
    }

    /// Where the bytes of a file are; nil if the archive has no such file.
    package subscript(name: String) -> Place? { places[ExactName(name)] }

    private static func noSpace(
        for path: String,
        _ spool: String,
        _ cause: ZooError
    ) -> ZooError {
        ZooError(
            .diskFull,
            "the files of the archive '\(path)' need more space in '\(spool)' while they are read",
            remedy:
                "set TMPDIR to a folder with more space, or give an uncompressed tar file, which needs none",
            cause: cause
        )
    }
}
