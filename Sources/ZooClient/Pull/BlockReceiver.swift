// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
internal import ZooCore
internal import ZooStore

/// Receives stretches of an archive as they stream in, one after the other, and puts each block in
/// place the moment it is whole and verified.
///
/// The bytes of one block are all that is ever held, in buffers that serve every stretch: memory
/// does not grow with the archive. Calls never overlap (a stream is in order), so the lock is
/// uncontended; it is there because the closure crosses threads.
final class BlockReceiver: Sendable {
    private struct State {
        /// The blocks still to come of this stretch, the one that is being received first.
        var blocks = 0..<0
        let buffer = BlockBuffer()
        let decoder = BlockDecoder()
    }

    private let state = Mutex(State())
    private let archive: ArchivePlan
    private let ledger: BlockLedger

    /// A receiver of blocks of an archive.
    init(_ archive: ArchivePlan, ledger: BlockLedger) {
        self.archive = archive
        self.ledger = ledger
    }

    /// Makes ready for the stream of these blocks, from its first byte.
    func expect(_ blocks: Range<Int>) {
        state.withLock { state in
            state.blocks = blocks
            state.buffer.removeAll()
        }
    }

    /// Takes the next bytes of the stream.
    ///
    /// - Throws: ``DamagedBlock``, or `io.*`.
    func receive(_ bytes: RawSpan) throws {
        ledger.received(bytes.byteCount)
        try state.withLock { state in
            var offset = 0
            while offset < bytes.byteCount, let next = state.blocks.first {
                let block = archive.table.blocks[next]
                let missing = block.archiveRange.count - state.buffer.count
                let count = min(missing, bytes.byteCount - offset)
                state.buffer.append(bytes.extracting(offset..<offset + count))
                offset += count
                if count == missing { try finish(block, number: next, &state) }
            }
        }
    }

    private func finish(
        _ block: BlockTable.Block,
        number: Int,
        _ state: inout State
    ) throws {
        let index = archive.index(of: number)
        // A whole-archive stream passes over blocks that are not needed or already here.
        if archive.needed.contains(number), !ledger.isDone(index) {
            let raw: BlockBuffer
            do {
                raw = try state.decoder.decode(state.buffer, of: block, archive.table.encoding)
            } catch  where error.code.category == .integrity {
                throw DamagedBlock(block: number, error: error)
            }
            try archive.folder.write(raw, at: block.rawRange.lowerBound)
            try ledger.complete(index, bytes: block.rawRange.count, .fetched)
        }
        state.buffer.removeAll()
        state.blocks.removeFirst()
    }
}

/// A block that arrived with other bytes than its table promises.
struct DamagedBlock: Error {
    let block: Int
    let error: ZooError
}

/// One archive of a pull: what it should hold and where that goes.
struct ArchivePlan: Sendable {
    /// Its position in the manifest.
    let position: Int
    let name: String
    let digest: ContentDigest
    let table: BlockTable
    let folder: ArchiveFolder
    /// The blocks with content that was asked for.
    let needed: Set<Int>

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
