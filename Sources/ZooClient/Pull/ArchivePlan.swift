// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// The plan for one archive of a pull: its blocks and the files they are written to.
struct ArchivePlan: Sendable {
    /// The index of the archive in the manifest.
    let position: Int
    /// The model that the archive belongs to.
    let model: ModelName
    let name: String
    let digest: ContentDigest
    let table: BlockTable
    let folder: ArchiveFolder
    /// The indices of blocks with requested content.
    let needed: Set<Int>

    /// Plans the archives of a release.
    ///
    /// - Parameters:
    ///   - release: the release, with its block tables.
    ///   - wanted: the files to fetch.
    ///   - folder: the folder of the files; missing files are created.
    /// - Returns: a plan for each archive, in manifest order.
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

    /// The raw size of the needed blocks in bytes.
    var neededBytes: Int { needed.reduce(0) { $0 + table.blocks[$1].rawRange.count } }

    func index(of block: Int) -> BlockLedger.Index {
        BlockLedger.Index(archive: position, block: block)
    }

    /// The missing blocks as runs of consecutive blocks, short enough to distribute over streams.
    ///
    /// - Parameters:
    ///   - ledger: knows the blocks in place.
    ///   - part: the blocks to look at; nil for all.
    ///   - streams: the streams that share the runs.
    /// - Returns: the runs, in the order of the archive.
    func missingRuns(
        _ ledger: BlockLedger,
        in part: Range<Int>? = nil,
        for streams: Int = 1
    ) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        let blocks = (part.map { $0.filter(needed.contains) } ?? needed.sorted())
            .filter { !ledger.isDone(index(of: $0)) }
        // Two runs per stream at least: the streams do not end at the same time.
        let longest =
            streams == 1
            ? Self.longestRun : min(Self.longestRun, max(1, blocks.count / (2 * streams)))
        for block in blocks {
            if let last = runs.last, last.upperBound == block, last.count < longest {
                runs[runs.count - 1] = last.lowerBound..<block + 1
            } else {
                runs.append(block..<block + 1)
            }
        }
        return runs
    }

    /// The size of the missing blocks in the archive, in bytes.
    func missingBytes(_ ledger: BlockLedger) -> Int {
        missingRuns(ledger).reduce(0) { $0 + archiveRange(of: $1).count }
    }

    /// The blocks of one request: at most 32 MiB, so that the overhead per request is negligible.
    private static let longestRun = 8

    /// The byte range of a run of blocks in the archive.
    func archiveRange(of blocks: Range<Int>) -> Range<Int> {
        let first = table.blocks[blocks.lowerBound].archiveRange
        return first.lowerBound..<table.blocks[blocks.upperBound - 1].archiveRange.upperBound
    }
}
