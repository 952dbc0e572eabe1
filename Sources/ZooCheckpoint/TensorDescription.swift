// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// What a checkpoint says about one tensor.
public struct TensorDescription: Hashable, Sendable {
    /// The full name.
    public let name: String
    /// The type of the elements.
    public let dtype: DType
    /// The sizes, outermost first.
    public let shape: Shape
    /// The size of the elements, in bytes.
    public let byteCount: Int

    /// Describes a tensor.
    public init(name: String, dtype: DType, shape: Shape, byteCount: Int) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.byteCount = byteCount
    }
}
