// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// A batch of inputs of the same shape; encoding small inputs one by one would leave threads idle.
public struct InputBatch: Sendable {
    /// The maximum number of elements of a batch of several inputs: 16 images of 256 × 256 pixels.
    private static let limit = 16 * 3 * 256 * 256

    /// The inputs.
    public private(set) var inputs: [InferenceInput] = []
    private var elements = 0

    /// Creates an empty batch.
    public init() {}

    /// Whether an input has the shape of the others and fits into the size limit.
    public func accepts(_ clip: InferenceInput) -> Bool {
        guard let first = inputs.first else { return true }
        return first.pixelValues.shape.sizes.dropFirst()
            == clip.pixelValues.shape.sizes.dropFirst()
            && elements + clip.pixelValues.shape.elementCount <= Self.limit
    }

    /// Adds an input; ``accepts(_:)`` must return true for it.
    public mutating func append(_ clip: InferenceInput) {
        precondition(accepts(clip), "an input of another shape")
        inputs.append(clip)
        elements += clip.pixelValues.shape.elementCount
    }

    /// The pixels of all inputs, [rows, frames, channels, height, width], or without `frames`.
    ///
    /// The pixels of a single input are not copied.
    public var pixelValues: Tensor { Tensor(joining: inputs.map(\.pixelValues)) }

    /// The name of the input of each row; a tensor file with several clips has several rows.
    public var names: [String] {
        inputs.flatMap { Array(repeating: $0.name, count: $0.pixelValues.shape[0]) }
    }
}
