// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// One archive of a pull: what it should hold and where that goes.
struct ArchivePlan: Sendable {
    /// Its position in the manifest.
    let position: Int
    /// The model that it belongs to.
    let model: ModelName
    let name: String
    let digest: ContentDigest
    let table: BlockTable
    let folder: ArchiveFolder
    /// The blocks with content that was asked for.
    let needed: Set<Int>

    /// Prepares the archives of a release.
    ///
    /// - Parameters:
    ///   - release: the release, with its tables.
    ///   - wanted: the files to fetch.
    ///   - folder: where they go; those that are not there are made.
    /// - Returns: a plan for each archive, in the order of the manifest.
    /// - Throws: ``ZooError`` with an `io.*` code.
    static func plans(
        of release: RemoteRelease,
        _ wanted: Set<ReleasePath>,
        in folder: String
    ) throws(ZooError) -> [ArchivePlan] {
        var plans: [ArchivePlan] = []
        for (position, archive) in release.archives.enumerated() {
            let files = try ArchiveFolder(
                release.record.layout(of: archive.entry.name),
                in: folder,
                .write,
                including: { wanted.contains($0) }
            )
            let blocks = archive.table.blocks
            plans.append(
                ArchivePlan(
                    position: position,
                    model: release.record.name,
                    name: archive.entry.name,
                    digest: archive.entry.archive.digest,
                    table: archive.table,
                    folder: files,
                    needed: Set(blocks.indices.filter { files.needs(blocks[$0].rawRange) })
                )
            )
        }
        return plans
    }

    /// Raw bytes of the needed blocks.
    var neededBytes: Int { needed.reduce(0) { $0 + table.blocks[$1].rawRange.count } }

    func index(of block: Int) -> BlockLedger.Index {
        BlockLedger.Index(archive: position, block: block)
    }

    /// The needed blocks that are not in place, as runs of neighbours short enough that several
    /// streams share the work.
    func missingRuns(_ ledger: BlockLedger) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for block in needed.sorted() where !ledger.isDone(index(of: block)) {
            if let last = runs.last, last.upperBound == block, last.count < Self.longestRun {
                runs[runs.count - 1] = last.lowerBound..<block + 1
            } else {
                runs.append(block..<block + 1)
            }
        }
        return runs
    }

    /// Blocks in one request: 32 MiB at most, so that the cost of a request disappears.
    private static let longestRun = 8

    /// The bytes of a run of blocks in the archive.
    func archiveRange(of blocks: Range<Int>) -> Range<Int> {
        let first = table.blocks[blocks.lowerBound].archiveRange
        return first.lowerBound..<table.blocks[blocks.upperBound - 1].archiveRange.upperBound
    }
}
