// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Memory that one worker reuses from task to task, so that a forward pass allocates almost nothing.
///
/// Sendable without a lock: a pool hands each scratch to one worker thread only.
package final class Scratch: @unchecked Sendable {
    /// What a piece of memory is for; two uses at the same time need two slots.
    package enum Slot: Int, CaseIterable {
        /// Patches of the input laid out as rows.
        case patches
        /// A panel of normalised rows.
        case normalised
        /// A panel of projected rows.
        case projected
        /// A panel of the wide rows inside an MLP.
        case hidden
        /// Attention weights of a block of queries.
        case scores
        /// The sums of the attention weights.
        case sums
        /// Weights widened to float32.
        case weights
        /// Weights of some outputs in the order products read them in.
        case packedWeights
        /// Rows that go into linear maps, for all threads.
        case packedRows
        /// The wide rows inside an MLP, for all threads.
        case packedHidden
        /// Packed keys of a head.
        case packedKeys
        /// Packed values of a head.
        case packedValues
    }

    private var buffers: [FloatBuffer?]
    /// What this worker has done; nil when nobody wants to know.
    var tally: Tally?

    /// Memory that takes no space until it is used.
    package init() { buffers = Array(repeating: nil, count: Slot.allCases.count) }

    /// At least `count` elements in the memory of `slot`, with arbitrary values; they replace what
    /// the slot held before.
    package func buffer(_ slot: Slot, count: Int) -> FloatBuffer {
        if let buffer = buffers[slot.rawValue], buffer.count >= count { return buffer }
        let buffer = FloatBuffer(count: count)
        buffers[slot.rawValue] = buffer
        return buffer
    }

    /// A matrix in the memory of `slot`, with arbitrary elements; it replaces what was there before.
    ///
    /// Rows lie a cache line further apart than they are long when they would otherwise begin at a
    /// multiple of 1 KiB from each other, where caches of eight ways keep few of them.
    package func matrix(_ slot: Slot, rows: Int, columns: Int) -> Matrix {
        let stride = columns.isMultiple(of: 256) ? columns + 16 : columns
        return Matrix(buffer: buffer(slot, count: rows * stride), rows: rows, columns: stride)
            .columns(0..<columns)
    }

    /// Does something and, when the pool has a profile, notes how long it took.
    ///
    /// What is measured inside `body` counts as part of it, and not for itself.
    ///
    /// - Parameters:
    ///   - kind: what it is.
    ///   - operations: multiplications and additions, for matrix products.
    ///   - bytes: what is read and written, for anything else.
    ///   - body: what to do.
    /// - Returns: what `body` returns.
    @inline(__always)
    package func measure<Result>(
        _ kind: Profile.Kind,
        operations: Int = 0,
        bytes: Int = 0,
        _ body: () -> Result
    ) -> Result {
        guard tally?.isMeasuring == false else { return body() }
        let index = Profile.Kind.allCases.firstIndex(of: kind) ?? 0
        tally?.isMeasuring = true
        let start = ContinuousClock.now
        defer {
            let seconds = (ContinuousClock.now - start).inSeconds
            tally?.isMeasuring = false
            tally?.add(
                index,
                Profile.Entry(calls: 1, seconds: seconds, operations: operations, bytes: bytes)
            )
        }
        return body()
    }
}
