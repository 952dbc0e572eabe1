// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
internal import ZooCore
internal import ZooStore

/// Receives a stretch of an archive as it streams in, and puts each block in place the moment it is
/// whole and verified.
///
/// The bytes of one block are all that is ever held. Calls never overlap (a stream is in order), so
/// the lock is uncontended; it is there because the closure crosses threads.
final class BlockReceiver: Sendable {
    private struct State {
        var next: Int
        let buffer = BlockBuffer()
        let decoder = BlockDecoder()
    }

    private let state: Mutex<State>
    private let archive: ArchivePlan
    private let ledger: BlockLedger
    private let end: Int

    /// A receiver of consecutive blocks.
    init(_ archive: ArchivePlan, blocks: Range<Int>, ledger: BlockLedger) {
        self.archive = archive
        self.ledger = ledger
        end = blocks.upperBound
        state = Mutex(State(next: blocks.lowerBound))
    }

    /// The block that is being received: where to go on after an error.
    var position: Int { state.withLock { $0.next } }

    /// Takes the next bytes of the stream.
    ///
    /// - Throws: ``DamagedBlock``, or `io.*`.
    func receive(_ bytes: RawSpan) throws {
        ledger.received(bytes.byteCount)
        try state.withLock { state in
            var offset = 0
            while offset < bytes.byteCount, state.next < end {
                let block = archive.table.blocks[state.next]
                let missing = block.archiveRange.count - state.buffer.count
                let count = min(missing, bytes.byteCount - offset)
                state.buffer.append(bytes.extracting(offset..<offset + count))
                offset += count
                if count == missing { try finish(&state, block) }
            }
        }
    }

    private func finish(_ state: inout State, _ block: BlockTable.Block) throws {
        let index = archive.index(of: state.next)
        // A whole-archive stream passes over blocks that are not needed or already here.
        if archive.needed.contains(state.next), !ledger.isDone(index) {
            do {
                let raw = try state.decoder.decode(state.buffer, of: block, archive.table.encoding)
                try archive.folder.write(raw, at: block.rawRange.lowerBound)
            } catch  where error.code.category == .integrity {
                state.buffer.removeAll()
                throw DamagedBlock(block: state.next, error: error)
            }
            try ledger.complete(index, bytes: block.rawRange.count, .fetched)
        }
        state.buffer.removeAll()
        state.next += 1
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
