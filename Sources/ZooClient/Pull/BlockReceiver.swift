// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
internal import ZooCore
internal import ZooStore

/// Receives a stream of blocks of an archive and writes each block once it is verified.
///
/// At most one block is buffered, in buffers that are reused, so memory does not grow with the
/// archive. The chunks of a stream arrive in order, so calls never overlap and the lock is
/// uncontended; it is needed because the closure crosses threads.
final class BlockReceiver: Sendable {
    private struct State {
        /// The remaining blocks of this stream, starting with the current one.
        var blocks = 0..<0
        let buffer = BlockBuffer()
    }

    private let state = Mutex(State())
    private let archive: ArchivePlan
    private let ledger: BlockLedger
    private let decoders: BlockDecoders

    /// Creates a receiver for an archive.
    init(_ archive: ArchivePlan, ledger: BlockLedger, _ decoders: BlockDecoders) {
        self.archive = archive
        self.ledger = ledger
        self.decoders = decoders
    }

    /// Prepares for a stream of the given blocks.
    func expect(_ blocks: Range<Int>) {
        state.withLock { state in
            state.blocks = blocks
            state.buffer.removeAll()
        }
    }

    /// Receives the next bytes of the stream.
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
        // A stream of the whole archive contains blocks that are not needed or already in place.
        if archive.needed.contains(number), !ledger.isDone(index) {
            let buffer = state.buffer
            try decoders.withDecoder { decoder in
                let verified = try decode(block, number, buffer, decoder)
                try archive.folder.write(verified)
                try ledger.complete(verified, number, of: archive, .fetched)
            }
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

/// The error for a block whose bytes do not match the block table.
struct DamagedBlock: Error {
    let block: Int
    let error: ZooError
}
