// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Hashes every file of a raw stream and compares the bytes between files with the layout.
package struct ArchiveContentHasher {
    private let layout: ArchiveLayout
    private var hashers: [ContentDigest.Hasher]

    /// Creates a hasher for one archive.
    package init(_ layout: ArchiveLayout) {
        self.layout = layout
        hashers = layout.members.map { _ in ContentDigest.Hasher() }
    }

    /// Hashes the next block of the raw stream.
    ///
    /// - Throws: ``ZooError`` with code `archive.member-mismatch`.
    package mutating func update(_ block: borrowing VerifiedBlock) throws(ZooError) {
        let offset = block.block.rawRange.lowerBound
        unsafe try block.withBytes { raw throws(ZooError) in unsafe try update(raw, at: offset) }
    }

    /// Hashes the next bytes of a raw stream that is being written.
    ///
    /// - Throws: ``ZooError`` with code `archive.member-mismatch`.
    mutating func update(_ raw: BlockBuffer, at offset: Int) throws(ZooError) {
        unsafe try raw.withBytes { raw throws(ZooError) in unsafe try update(raw, at: offset) }
    }

    private mutating func update(
        _ raw: UnsafeRawBufferPointer,
        at offset: Int
    ) throws(ZooError) {
        var position = 0
        for piece in layout.pieces(of: offset..<offset + raw.count) {
            let part = unsafe UnsafeRawBufferPointer(
                rebasing: raw[position..<position + piece.length]
            )
            switch piece {
            case .fixed(let bytes):
                guard unsafe part.elementsEqual(bytes) else {
                    throw .memberMismatch(layout, at: offset + position)
                }
            case .content(let member, _): unsafe hashers[member].update(part)
            }
            position += piece.length
        }
    }

    /// The digest of each file.
    package func finish() -> [(ReleasePath, ContentDigest)] {
        zip(layout.members, hashers).map { ($0.path, $1.finish()) }
    }
}

extension ZooError {
    /// The error for bytes between files that differ from the layout.
    static func memberMismatch(_ layout: ArchiveLayout, at offset: Int) -> ZooError {
        let member = layout.members.first { $0.contentOffset > offset }?.path.text
        return ZooError(
            .memberMismatch,
            "at byte \(offset), the archive does not contain "
                + "\(member.map { "'\($0)'" } ?? "the end of the stream") as the record states",
            remedy: "do not use this release; tell its publisher"
        )
    }
}
