// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// Inputs of one shape that are encoded together, because single small inputs leave threads idle.
public struct InputBatch: Sendable {
    /// The largest number of elements of a batch of several inputs, 16 images of 256 × 256.
    private static let limit = 16 * 3 * 256 * 256

    /// The inputs.
    public private(set) var inputs: [InferenceInput] = []
    private var elements = 0

    /// An empty batch.
    public init() {}

    /// Whether an input can be added: it has the shape of the others, and the batch stays small.
    public func accepts(_ clip: InferenceInput) -> Bool {
        guard let first = inputs.first else { return true }
        return first.pixelValues.shape.sizes.dropFirst()
            == clip.pixelValues.shape.sizes.dropFirst()
            && elements + clip.pixelValues.shape.elementCount <= Self.limit
    }

    /// Adds an input that ``accepts(_:)`` accepts.
    public mutating func append(_ clip: InferenceInput) {
        precondition(accepts(clip), "an input of another shape")
        inputs.append(clip)
        elements += clip.pixelValues.shape.elementCount
    }

    /// The pixels of all inputs, [rows, frames, channels, height, width] or without `frames`; those of a
    /// single input are not copied.
    public var pixelValues: Tensor { Tensor(joining: inputs.map(\.pixelValues)) }

    /// The name of the input of each row; a tensor file with several clips has several rows.
    public var names: [String] {
        inputs.flatMap { Array(repeating: $0.name, count: $0.pixelValues.shape[0]) }
    }
}
