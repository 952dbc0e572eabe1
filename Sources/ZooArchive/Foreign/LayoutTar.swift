// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CArchive
internal import ZooCore
package import ZooFiles

/// An OCI image layout folder as one tar file, for a computer without network.
///
/// The same files give the same bytes: sorted names, time 0, no owner, mode 0644, no folders, and pax
/// headers only where a name or a size needs one. `skopeo` reads it as `oci-archive:FILE`.
package enum LayoutTar {
    private static let piece = 1 << 20

    /// Writes the files of a folder; blocks.
    ///
    /// - Parameters:
    ///   - folder: the folder; it must contain `oci-layout`, and only files and folders.
    ///   - path: the tar file, which is replaced when all of it is on disk.
    ///   - cancellation: stops the writing.
    /// - Throws: ``ZooError`` with code `archive.name-unsafe` or `io.*`; `CancellationError`.
    package static func write(
        _ folder: String,
        to path: String,
        _ cancellation: Cancellation
    ) throws {
        _ = try OpenFile("\(folder)/\(marker)", .read)
        let names = try FileSystem.files(below: folder)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for name in names { _ = try MemberName.checked(name, for: .extraction, in: folder) }
        try FileSystem.writeAtomically(path) { output in
            let writer = try TarWriter(output)
            for name in names {
                let file = try OpenFile("\(folder)/\(name)", .read)
                let size = try file.status().size
                try writer.begin(name, size: size)
                try file.forEachPiece(of: 0..<size, size: piece, cancellation) {
                    try writer.append($0)
                }
            }
            try writer.finish()
        }
    }

    /// Reads a tar file of a layout into a new folder; blocks.
    ///
    /// Every blob is compared with the digest that is its name. The folder appears when all of it is on
    /// disk.
    ///
    /// - Parameters:
    ///   - path: the tar file; symbolic links are followed.
    ///   - folder: the folder, which must not exist.
    ///   - cancellation: stops the reading.
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code, and then no folder remains;
    ///   `CancellationError`.
    package static func read(
        _ path: String,
        into folder: String,
        _ cancellation: Cancellation
    ) throws {
        guard try FileSystem.status(folder) == nil else {
            throw ZooError(
                .fileExists,
                "'\(folder)' already exists",
                remedy: "give the name of a new folder"
            )
        }
        let file = try OpenFile(path, .readFollowing)
        guard let kind = try ArchiveKind(of: file), kind.isTar else {
            throw ZooError(
                .foreignFormatUnknown,
                "'\(path)' is not a tar file",
                remedy: "pass a file that 'registry export' or 'skopeo copy' to oci-archive: wrote"
            )
        }
        let parent = FileSystem.parent(of: folder)
        let staging = "\(parent)/.\(FileSystem.uniqueName()).tmp"
        do {
            try FileSystem.createFolder(staging)
            let cursor = try ArchiveCursor(
                file,
                kind,
                for: .extraction,
                ArchiveLimits.ofLayout,
                cancellation
            )
            var isLayout = false
            while let member = try cursor.next() {
                guard !member.isFolder else { continue }
                try extract(member, cursor, to: staging)
                isLayout = isLayout || member.name == marker
            }
            guard isLayout else {
                throw ZooError.malformed(path, "is not an image layout: it has no '\(marker)'")
            }
            try FileSystem.rename(staging, to: folder)
        } catch {
            // Report the first error.
            try? FileSystem.remove(staging)
            throw error
        }
    }

    /// The file that makes a folder an image layout (OCI image specification, `image-layout.md`).
    private static let marker = "oci-layout"
    private static let blobs = "blobs/sha256/"

    private static func extract(
        _ member: ArchiveMember,
        _ cursor: ArchiveCursor,
        to folder: String
    ) throws {
        let path = "\(folder)/\(member.name)"
        try FileSystem.createFolder(FileSystem.parent(of: path))
        let file = try OpenFile(path, .createNew)
        var hasher = ContentDigest.Hasher()
        var position = 0
        unsafe try cursor.read { bytes, _ in
            unsafe try file.write(bytes, at: position)
            unsafe hasher.update(bytes)
            position += bytes.count
            return true
        }
        if member.name.hasPrefix(blobs) {
            let digest = hasher.finish()
            guard digest.hex == member.name.dropFirst(blobs.count) else {
                throw ZooError(
                    .layoutBlobMismatch,
                    "the blob '\(member.name)' has digest \(digest)",
                    remedy: "the file is damaged; copy it again"
                )
            }
        }
        try file.synchronize()
    }
}

extension ArchiveLimits {
    /// A layout holds what its file holds, so the ratio cannot be large; a registry has many files.
    fileprivate static var ofLayout: ArchiveLimits {
        var limits = ArchiveLimits()
        limits.members = 100_000_000
        limits.totalBytes = .max
        return limits
    }
}

extension ArchiveKind {
    fileprivate var isTar: Bool {
        switch self {
        case .tar, .tarGzip, .tarZstd: true
        case .zip, .sevenZip: false
        }
    }
}
