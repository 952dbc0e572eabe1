// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooStore

/// Something that happens to a file.
enum Damage: CustomStringConvertible {
    case flip(Int, Int)
    case truncate(Int)
    case extend(Int)
    case zeroFill(Range<Int>)
    case swapped
    case missing, folder, link, pipe

    var description: String {
        switch self {
        case .flip(let offset, let bit): "bit \(bit) of byte \(offset) flipped"
        case .truncate(let size): "truncated to \(size)"
        case .extend(let count): "extended by \(count)"
        case .zeroFill(let range): "zeros at \(range)"
        case .swapped: "replaced by the file of another version"
        case .missing: "missing"
        case .folder: "replaced by a folder"
        case .link: "replaced by a link to a sound copy"
        case .pipe: "replaced by a pipe"
        }
    }

    /// Damages a file.
    ///
    /// - Returns: whether that changed anything: zeros can be filled with zeros.
    @discardableResult
    func apply(to path: String, swap other: String?, link copy: String) throws -> Bool {
        let sound = try FileSystem.document(path, limit: 1 << 20)
        var bytes = sound
        switch self {
        case .flip(let offset, let bit): bytes[offset] ^= 1 << UInt8(bit)
        case .truncate(let size): bytes.removeLast(bytes.count - size)
        case .extend(let count): bytes += [UInt8](repeating: 0, count: count)
        case .zeroFill(let range): for index in range { bytes[index] = 0 }
        case .swapped: bytes = try FileSystem.document(try #require(other), limit: 1 << 20)
        case .missing:
            try FileSystem.remove(path)
            return true
        case .folder:
            try FileSystem.remove(path)
            try FileSystem.createFolder(path)
            return true
        case .link:
            try FileSystem.writeAtomically(copy, sound)
            try FileSystem.remove(path)
            try FileManager.default.createSymbolicLink(
                atPath: path,
                withDestinationPath: copy
            )
            return true
        case .pipe:
            try FileSystem.remove(path)
            try #require(unsafe mkfifo(path, 0o644) == 0)
            return true
        }
        guard bytes != sound else { return false }
        try FileSystem.writeAtomically(path, bytes)
        return true
    }

    /// A part of a file that lies in one block.
    struct Part {
        let path: String
        let range: Range<Int>
    }

    /// The block boundaries in the files of a release.
    static func blockParts(of release: InstalledRelease) throws -> [Part] {
        let present = Set(release.files.map(\.path))
        return try release.manifest.archives.flatMap { archive in
            let layout = release.record.layout(of: archive.name)
            return try release.blockTable(of: archive).blocks.flatMap { block in
                layout.contents(in: block.rawRange).map { member, range in
                    (layout.members[member].path, range)
                }
            }
            .filter { present.contains($0.0) }
            .map { Part(path: $0.0.text, range: $0.1) }
        }
    }

    /// Every kind of damage at every region of a file: first, last, block borders, the length and the text
    /// of a safetensors header, the middle.
    static func all(of file: ReleaseRecord.File, in release: InstalledRelease) -> [Damage] {
        let size = file.size
        var all: [Damage] = [.extend(1), .extend(512), .missing, .folder, .link, .pipe]
        guard size > 0 else { return all }
        all.append(.swapped)
        let borders = ((try? blockParts(of: release)) ?? []).filter { $0.path == file.path.text }
            .flatMap { [$0.range.lowerBound - 1, $0.range.lowerBound, $0.range.upperBound - 1] }
        let regions = Set(
            ([0, 1, 7, 8, 64, size / 2, size - 1] + borders).filter {
                (0..<size).contains($0)
            }
        )
        for offset in regions.sorted() {
            all += [.flip(offset, 0), .flip(offset, 7), .truncate(offset)]
            all.append(.zeroFill(offset..<min(offset + 100, size)))
        }
        return all + [.zeroFill(0..<size), .extend(size)]
    }
}
