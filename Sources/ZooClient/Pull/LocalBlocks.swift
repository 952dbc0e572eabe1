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
    private var places: [ContentDigest: Place] = [:]

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
                    )
                else { continue }
                for block in table.blocks {
                    places[block.rawDigest] = Place(archive: archives.count, range: block.rawRange)
                }
                archives.append(folder)
            }
        }
    }

    /// Reads a block, if it is here and still what it was.
    func read(_ block: BlockTable.Block, into raw: BlockBuffer) -> Bool {
        guard let place = places[block.rawDigest] else { return false }
        return (try? archives[place.archive].read(place.range, into: raw)) != nil
            && (try? BlockDecoder.verify(raw, of: block)) != nil
    }
}
