// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// The archive formats that are read, detected by content and not by name.
package enum ArchiveKind: Sendable {
    /// A tar file.
    case tar
    /// A compressed file that should hold a tar file.
    case tarGzip, tarZstd
    /// A ZIP file; PyTorch and NumPy also write checkpoints in this format.
    case zip
    /// A 7z file.
    case sevenZip

    /// The name in messages.
    package var name: String {
        switch self {
        case .tar: "tar"
        case .tarGzip: "tar.gz"
        case .tarZstd: "tar.zst"
        case .zip: "zip"
        case .sevenZip: "7z"
        }
    }

    /// Detects the format of a file; nil if it is none of them.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init?(of file: OpenFile) throws(ZooError) {
        let start = try file.bytes(0..<min(try file.status().size, 512))
        func begins(_ magic: [UInt8]) -> Bool { start.starts(with: magic) }
        if begins([0x1F, 0x8B]) {
            self = .tarGzip
        } else if begins([0x28, 0xB5, 0x2F, 0xFD]) {
            self = .tarZstd
        } else if begins([0x50, 0x4B, 0x03, 0x04]) || begins([0x50, 0x4B, 0x05, 0x06]) {
            self = .zip
        } else if begins([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) {
            self = .sevenZip
        } else if start.count >= 262, start[257..<262].elementsEqual("ustar".utf8) {
            self = .tar
        } else {
            return nil
        }
    }

    /// Checks that a ZIP or 7z file ends where its directory says; libarchive ignores what follows.
    ///
    /// Sources: PKWARE APPNOTE 6.3.10 section 4.3.16; 7-Zip `DOC/7zFormat.txt`, SignatureHeader.
    ///
    /// - Throws: ``ZooError`` with code `archive.malformed`, `archive.trailing-data` or `io.*`.
    func requireEnd(of file: OpenFile, _ path: String) throws(ZooError) {
        let size = try file.status().size
        let end: Int
        switch self {
        case .zip:
            let tail = try file.bytes(max(0, size - 65_557)..<size)
            let places = tail.indices.dropLast(21)
            guard
                let place = places.last(where: {
                    tail[$0...].starts(with: [0x50, 0x4B, 0x05, 0x06])
                })
            else { throw .malformed(path, "is truncated: it has no directory at its end") }
            end =
                size - tail.count + place + 22 + Int(tail[place + 20]) + Int(tail[place + 21]) << 8
        case .sevenZip:
            guard size >= 32 else { throw .malformed(path, "is truncated inside its header") }
            let fields = try file.bytes(12..<28)
            func field(_ start: Int) -> UInt64 {
                fields[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            let (sum, overflow) = field(0).addingReportingOverflow(field(8))
            guard !overflow, let directory = Int(exactly: sum), directory <= size - 32 else {
                throw .malformed(path, "is truncated: its directory is beyond its end")
            }
            end = 32 + directory
        case .tar, .tarGzip, .tarZstd:
            return
        }
        guard end <= size else { throw .malformed(path, "is truncated inside its directory") }
        guard end == size else { throw .trailing(path, size - end) }
    }
}

extension ZooError {
    static func trailing(_ path: String, _ bytes: Int) -> ZooError {
        ZooError(
            .foreignTrailingData,
            "the archive '\(path)' is followed by \(bytes) bytes of other data",
            remedy: "programs differ in what they read from such a file; download it again"
        )
    }
}
