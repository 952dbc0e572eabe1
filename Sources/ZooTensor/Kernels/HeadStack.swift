// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// Queries, keys or values split into heads: [batch, heads, tokens, head width].
///
/// Each head is one contiguous matrix.
package struct HeadStack: Sendable {
    /// All heads as one matrix, [batch · heads · tokens, head width].
    package let matrix: Matrix
    /// The number of samples.
    package let batch: Int
    /// The number of heads of a sample.
    package let heads: Int
    /// The number of tokens of a head.
    package let tokens: Int

    /// Creates a stack of zeros.
    package init(batch: Int, heads: Int, tokens: Int, headWidth: Int) {
        matrix = Matrix(rows: batch * heads * tokens, columns: headWidth)
        self.batch = batch
        self.heads = heads
        self.tokens = tokens
    }

    /// One head of one sample: [tokens, head width].
    package func head(_ head: Int, of sample: Int) -> Matrix {
        precondition(head < heads && sample < batch)
        let start = (sample * heads + head) * tokens
        return matrix.rows(start..<start + tokens)
    }

    /// Splits tokens into heads and stores them, with a bias and a rotation applied.
    ///
    /// - Parameters:
    ///   - input: [tokens in `range`, some heads · head width].
    ///   - range: the indices of the tokens.
    ///   - sample: the index of the sample.
    ///   - first: the index of the first head in `input`.
    ///   - bias: one element for each column of all heads, added before the rotation.
    ///   - rotation: the tables of these tokens; nil for no rotation.
    ///   - path: the copy of the kernel to run.
    package func store(
        _ input: Matrix,
        tokens range: Range<Int>,
        of sample: Int,
        firstHead first: Int = 0,
        bias: Tensor?,
        rotation: Rotation?,
        path: KernelPath = .fastest
    ) {
        let headWidth = matrix.columns
        let count = input.columns / headWidth
        precondition(input.rows == range.count && input.columns == count * headWidth)
        precondition(range.lowerBound >= 0 && range.upperBound <= tokens && sample < batch)
        precondition(first >= 0 && first + count <= heads)
        precondition(bias.map { $0.shape.elementCount == heads * headWidth } ?? true)
        if let rotation {
            precondition(rotation.cosines.rows == range.count)
            precondition(rotation.cosines.columns <= headWidth)
        }
        let target = head(first, of: sample).rows(range)
        unsafe ami_split_heads(
            path.cpu,
            input.base,
            input.stride,
            bias.map { unsafe $0.buffer.base + first * headWidth },
            target.writableBase,
            tokens * headWidth,
            input.rows,
            count,
            headWidth,
            rotation?.cosines.columns ?? 0,
            rotation?.cosines.base,
            rotation?.sines.base
        )
    }
}
