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
    }

    private var buffers: [FloatBuffer?]

    package init() { buffers = Array(repeating: nil, count: Slot.allCases.count) }

    /// A matrix in the memory of `slot`, with arbitrary elements; it replaces the previous one.
    package func matrix(_ slot: Slot, rows: Int, columns: Int) -> Matrix {
        if let buffer = buffers[slot.rawValue], buffer.count >= rows * columns {
            return Matrix(buffer: buffer, rows: rows, columns: columns)
        }
        let buffer = FloatBuffer(count: rows * columns)
        buffers[slot.rawValue] = buffer
        return Matrix(buffer: buffer, rows: rows, columns: columns)
    }
}
