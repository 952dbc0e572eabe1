// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Memory that one worker reuses between tasks, so that a forward pass allocates almost nothing.
///
/// Sendable without a lock: a pool hands each scratch to one worker thread only.
package final class Scratch: @unchecked Sendable {
    /// The purpose of a buffer; simultaneous uses need different slots.
    package enum Slot: Int, CaseIterable {
        /// Patches of the input as rows.
        case patches
        /// A panel of normalised rows.
        case normalised
        /// A panel of projected rows.
        case projected
        /// A panel of hidden rows of an MLP.
        case hidden
        /// Attention weights of a block of queries.
        case scores
        /// The sums of the attention weights.
        case sums
        /// Weights widened to float32.
        case weights
        /// Packed weights of some outputs.
        case packedWeights
        /// Packed input rows of linear layers, for all threads.
        case packedRows
        /// Packed hidden rows of an MLP, for all threads.
        case packedHidden
        /// Packed keys of a head.
        case packedKeys
        /// Packed values of a head.
        case packedValues
    }

    private var buffers: [FloatBuffer?]
    /// The work of this worker; nil without a profile.
    var tally: Tally?

    /// Creates empty scratch memory; buffers are allocated on first use.
    package init() { buffers = Array(repeating: nil, count: Slot.allCases.count) }

    /// An uninitialised buffer of at least `count` elements, which replaces the content of `slot`.
    package func buffer(_ slot: Slot, count: Int) -> FloatBuffer {
        if let buffer = buffers[slot.rawValue], buffer.count >= count { return buffer }
        let buffer = FloatBuffer(count: count)
        buffers[slot.rawValue] = buffer
        return buffer
    }

    /// An uninitialised matrix, which replaces the content of `slot`.
    ///
    /// If the stride would be a multiple of 1 KiB, it is extended by one cache line, because 8-way
    /// caches keep few rows at such distances.
    package func matrix(_ slot: Slot, rows: Int, columns: Int) -> Matrix {
        let stride = columns.isMultiple(of: 256) ? columns + 16 : columns
        return Matrix(buffer: buffer(slot, count: rows * stride), rows: rows, columns: stride)
            .columns(0..<columns)
    }

    /// Runs `body` and records its time if the pool has a profile.
    ///
    /// Nested measurements inside `body` count as part of it, and not separately.
    ///
    /// - Parameters:
    ///   - kind: the kind of work.
    ///   - operations: the multiplications and additions, for matrix products.
    ///   - bytes: the bytes read and written, for other kinds.
    ///   - body: the work.
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
