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
        /// Packed keys of a head.
        case packedKeys
        /// Packed values of a head.
        case packedValues
    }

    private var buffers: [FloatBuffer?]

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
}
