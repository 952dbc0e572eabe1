// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Tensor {
    /// Concatenates at least one tensor along the first axis; the other sizes are equal.
    package init(joining parts: [Tensor]) {
        guard parts.count > 1 else {
            self = parts[0]
            return
        }
        let inner = parts[0].shape.sizes.dropFirst()
        precondition(parts.allSatisfy { $0.shape.sizes.dropFirst() == inner })
        let rows = parts.reduce(0) { $0 + $1.shape[0] }
        self.init(zeros: Shape([rows] + inner))
        var next = 0
        for part in parts {
            unsafe (buffer.base + next).update(from: part.buffer.base, count: part.buffer.count)
            next += part.buffer.count
        }
    }

    /// Stacks at least one tensor along a new first axis; the shapes are equal.
    package init(stacking parts: [Tensor]) {
        self.init(joining: parts.map { $0.reshaped(Shape([1] + $0.shape.sizes)) })
    }

    /// The frames in `range` of a tensor [batch, frames, …].
    package func frames(_ range: Range<Int>) -> Tensor {
        let sizes = shape.sizes
        let size = sizes.dropFirst(2).reduce(1, *)
        let source = reshaped([sizes[0], sizes[1] * size]).matrix
        let result = Matrix(rows: sizes[0], columns: range.count * size)
        result.copy(from: source.columns(range.lowerBound * size..<range.upperBound * size))
        return Tensor(
            shape: Shape([sizes[0], range.count] + sizes.dropFirst(2)),
            buffer: result.buffer
        )
    }

    /// Whether no element is NaN or infinite.
    package var isFinite: Bool {
        // x − x is 0 for finite x and NaN otherwise, and a sum with a NaN is NaN.
        withValues { values in
            var sum: Float = 0
            for index in values.indices { sum += values[index] - values[index] }
            return sum == 0
        }
    }
}
