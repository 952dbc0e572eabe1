// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// Blocks of the installed releases of a store, by the digest of their raw bytes.
///
/// Blocks start at tensors, so a tensor that is unchanged in a new version, or used by another model, has
/// the same blocks. Each block is hashed after it is read, before it is used. Used by one thread.
final class LocalBlocks {
    private let index: LocalBlockIndex?
    private var archives: [String: ArchiveFolder] = [:]

    /// Looks in a store; one that cannot be read has no blocks.
    init(in store: ModelStore) { index = try? store.blockIndex() }

    private init() { index = nil }

    /// No blocks.
    static var none: LocalBlocks { LocalBlocks() }

    /// Reads and verifies a block.
    ///
    /// - Parameters:
    ///   - block: the block.
    ///   - raw: receives its bytes.
    /// - Returns: where an intact copy is, whose bytes are in `raw`; nil when there is none.
    func find(_ block: BlockTable.Block, into raw: BlockBuffer) -> BlockPlace? {
        // A damaged index has no blocks.
        for place in (try? index?.places(of: block.rawDigest)) ?? [] {
            guard place.range.count == block.rawRange.count, let folder = folder(of: place),
                place.range.upperBound <= folder.layout.rawSize, folder.holds(place.range),
                (try? folder.read(place.range, into: raw)) != nil,
                (try? BlockDecoder.verify(raw, of: block)) != nil
            else { continue }
            return BlockPlace(folder: folder, range: place.range)
        }
        return nil
    }

    private func folder(of place: LocalBlockIndex.Place) -> ArchiveFolder? {
        let key = "\(place.folder)\n\(place.archive)"
        if let known = archives[key] { return known }
        guard let release = try? InstalledRelease(folder: place.folder) else { return nil }
        let present = Set(release.files.map(\.path))
        let folder = try? ArchiveFolder(
            release.record.layout(of: place.archive),
            in: place.folder,
            .read,
            including: { present.contains($0) }
        )
        archives[key] = folder
        return folder
    }
}
