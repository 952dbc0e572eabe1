// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The description of one tensor in a checkpoint.
public struct TensorDescription: Hashable, Sendable {
    /// The full name.
    public let name: String
    /// The type of the elements.
    public let dtype: DType
    /// The shape, outermost size first.
    public let shape: Shape
    /// The size of the elements, in bytes.
    public let byteCount: Int

    /// Creates a description.
    public init(name: String, dtype: DType, shape: Shape, byteCount: Int) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.byteCount = byteCount
    }
}
