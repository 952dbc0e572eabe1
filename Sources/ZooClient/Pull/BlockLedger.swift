// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
internal import ZooCore
internal import ZooStore

/// The shared state of all streams of a pull: the blocks in place and the transfer statistics.
///
/// A lock guards the state. Critical sections are short, and the only I/O in them is the write of an
/// eight-byte journal row.
final class BlockLedger: Sendable {
    typealias Index = StagingArea.BlockIndex

    private struct State {
        var done: Set<Index> = []
        var rows = 0
        var doneBytes = 0
        var reusedBytes = 0
        var downloadedBytes = 0
        var failures: [Index: Int] = [:]
        var coverage = VerifiedCoverage()
    }

    private let state: Mutex<State>
    private let staging: StagingArea
    private let total: Int
    private let report: @Sendable (PullEvent) -> Void

    init(
        staging: StagingArea,
        rows: Int,
        total: Int,
        report: @escaping @Sendable (PullEvent) -> Void
    ) {
        state = Mutex(State(rows: rows))
        self.staging = staging
        self.total = total
        self.report = report
    }

    /// The origin of a block.
    enum Origin {
        /// Written by an earlier run and verified again.
        case resumed
        /// Copied from another release on this machine.
        case copied
        /// Fetched from the registry.
        case fetched
    }

    /// Records that a verified block is in place.
    func complete(
        _ block: borrowing VerifiedBlock,
        _ number: Int,
        of archive: ArchivePlan,
        _ origin: Origin
    ) throws {
        let index = archive.index(of: number)
        let bytes = block.block.rawRange.count
        let progress = try state.withLock { state in
            guard state.done.insert(index).inserted else { return nil as PullEvent.Progress? }
            state.coverage.add(block, of: archive.name, archive.folder.layout)
            if origin != .resumed {
                try staging.record(index, row: state.rows)
                state.rows += 1
            }
            state.doneBytes += bytes
            if origin != .fetched { state.reusedBytes += bytes }
            return PullEvent.Progress(
                total: total,
                done: state.doneBytes,
                reused: state.reusedBytes
            )
        }
        if let progress { report(.progress(progress)) }
    }

    func isDone(_ index: Index) -> Bool { state.withLock { $0.done.contains(index) } }

    /// Counts bytes received from the registry.
    func received(_ bytes: Int) { state.withLock { $0.downloadedBytes += bytes } }

    /// Records that a block arrived damaged, and returns its number of failures.
    func failed(_ index: Index) -> Int {
        state.withLock { state in
            state.failures[index, default: 0] += 1
            return state.failures[index, default: 0]
        }
    }

    /// Returns the files when every byte of each was in a verified block.
    ///
    /// - Throws: ``ZooError`` with code `release.not-covered`.
    func complete(_ files: [ReleaseRecord.File]) throws(ZooError) -> VerifiedFiles {
        try state.withLock { state throws(ZooError) in try state.coverage.complete(files) }
    }

    var totals: (downloaded: Int, reused: Int) {
        state.withLock { ($0.downloadedBytes, $0.reusedBytes) }
    }
}
