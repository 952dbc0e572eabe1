// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// Blocks of other releases on this machine, by the digest of their raw bytes.
///
/// A release cuts its blocks at tensors, so a new version that keeps a tensor keeps its blocks.
/// Nothing is believed: bytes are hashed after they are read, before they count.
struct LocalBlocks {
    private struct Place {
        let archive: Int
        let range: Range<Int>
    }

    private var archives: [ArchiveFolder] = []
    private var places: [ContentDigest: [Place]] = [:]

    /// Indexes the installed releases of a model.
    init(of name: ModelName, in store: ModelStore) {
        // A store that cannot be read has nothing to offer.
        self.init((try? store.releases(of: name)) ?? [])
    }

    /// Indexes the given releases; one that cannot be read contributes nothing.
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

    /// Reads a block, if it is here and still what it was.
    ///
    /// - Parameters:
    ///   - block: the block.
    ///   - raw: receives its bytes.
    /// - Returns: the block in `raw`; nil when no place holds it any more.
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
