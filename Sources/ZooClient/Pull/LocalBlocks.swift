// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// Blocks of other installed releases, by the digest of their raw bytes.
///
/// Blocks start at tensors, so a tensor that is unchanged in a new version has the same blocks. Each
/// block is hashed after it is read, before it is used.
struct LocalBlocks {
    private struct Place {
        let archive: Int
        let range: Range<Int>
    }

    private var archives: [ArchiveFolder] = []
    private var places: [ContentDigest: [Place]] = [:]

    /// Indexes the installed releases of a model.
    init(of name: ModelName, in store: ModelStore) {
        // An unreadable store provides no blocks.
        self.init((try? store.releases(of: name)) ?? [])
    }

    /// Indexes the given releases; unreadable releases are skipped.
    init(_ releases: [InstalledRelease]) {
        for release in releases {
            let present = Set(release.files.map(\.path))
            for archive in release.manifest.archives {
                guard let table = try? release.blockTable(of: archive),
                    let folder = try? ArchiveFolder(
                        release.record.layout(of: archive.name),
                        in: release.folder,
                        .read,
                        including: { present.contains($0) }
                    ),
                    table.rawSize == folder.layout.rawSize
                else { continue }
                for block in table.blocks where folder.holds(block.rawRange) {
                    places[block.rawDigest, default: []].append(
                        Place(archive: archives.count, range: block.rawRange)
                    )
                }
                archives.append(folder)
            }
        }
    }

    /// Reads and verifies a block.
    ///
    /// - Parameters:
    ///   - block: the block.
    ///   - raw: receives its bytes.
    /// - Returns: the block in `raw`; nil when no release has an intact copy.
    func read(_ block: BlockTable.Block, into raw: BlockBuffer) -> VerifiedBlock? {
        for place in places[block.rawDigest, default: []] {
            guard (try? archives[place.archive].read(place.range, into: raw)) != nil else {
                continue
            }
            if let verified = try? BlockDecoder.verify(raw, of: block) { return verified }
        }
        return nil
    }
}
