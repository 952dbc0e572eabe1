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
            let verified = try decode(block, number, state.buffer, state.decoder)
            try archive.folder.write(verified)
            try ledger.complete(verified, number, of: archive, .fetched)
        }
        state.buffer.removeAll()
        state.blocks.removeFirst()
    }

    private func decode(
        _ block: BlockTable.Block,
        _ number: Int,
        _ buffer: BlockBuffer,
        _ decoder: BlockDecoder
    ) throws -> VerifiedBlock {
        do {
            return try decoder.decode(buffer, of: block, archive.table.encoding)
        } catch  where error.code.category == .integrity {
            throw DamagedBlock(block: number, error: error)
        }
    }
}

/// A block that arrived with other bytes than its table promises.
struct DamagedBlock: Error {
    let block: Int
    let error: ZooError
}
