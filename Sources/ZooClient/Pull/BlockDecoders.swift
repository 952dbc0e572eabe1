// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import Synchronization
internal import ZooArchive

/// The decoders that the streams of a pull share.
///
/// A decoder holds a raw block and the state of zstd. Decoding uses a processor, so decoders beyond
/// the processors would only use memory, and a stream that waits for one waits for a processor.
final class BlockDecoders: Sendable {
    /// Four decode as fast as a line of 10 Gbit/s delivers.
    private static let most = 4

    private final class Decoder: Sendable {
        let state = Mutex(BlockDecoder())
    }

    private let decoders: [Decoder]
    private let turn = Atomic(0)

    init() {
        let count = min(Self.most, ProcessInfo.processInfo.activeProcessorCount)
        decoders = (0..<count).map { _ in Decoder() }
    }

    /// Calls `body` with a decoder that nobody else uses during the call; waits for one.
    func withDecoder(_ body: (BlockDecoder) throws -> Void) throws {
        for decoder in decoders {
            if try decoder.state.withLockIfAvailable({ try body($0) }) != nil { return }
        }
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let decoder = decoders[Int(UInt(bitPattern: turn) % UInt(decoders.count))]
        try decoder.state.withLock { try body($0) }
    }
}
