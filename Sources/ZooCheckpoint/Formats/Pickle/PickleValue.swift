// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// One value of a pickle, inert: what it says, never what it would do.
///
/// Values refer to each other by their place in ``Pickle/values``, so that a pickle that holds
/// itself, or nests a million deep, costs nothing to keep and nothing to throw away.
enum PickleValue {
    /// The place of a value in ``Pickle/values``.
    typealias Reference = Int

    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number of more than 64 bits.
    case largeInteger
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case tuple([Reference])
    case list([Reference])
    case set([Reference])
    /// Keys and values in turn; `isOrdered` for an `OrderedDict`, which may have attributes.
    case dictionary([Reference], isOrdered: Bool)
    /// A name of the allowlist.
    case global(PickleGlobal)
    /// The place of a storage in ``Pickle/storages``.
    case storage(Int)
    /// The place of a tensor in ``Pickle/tensors``.
    case tensor(Int)
    /// A value that says nothing about tensors: a device, a layout, an element type.
    case opaque
}

/// Everything a pickle says.
struct Pickle {
    /// The elements that tensors share.
    struct Storage: Hashable {
        /// The name of the record that holds the elements.
        let key: String
        /// The type of the elements; nil for bytes that each tensor reads in its own way.
        let dtype: DType?
        /// How many elements, or bytes.
        let count: Int
        /// Which of the elements are meant, in the legacy container; nil for all.
        let part: Range<Int>?
    }

    /// A view of a storage.
    struct Tensor: Hashable {
        /// The place of the storage in ``Pickle/storages``.
        let storage: Int
        /// The type of the elements.
        let dtype: DType
        /// The first element.
        let offset: Int
        /// The sizes, outermost first.
        let sizes: [Int]
        /// The distance between neighbours along each axis, in elements.
        let strides: [Int]
    }

    var values: [PickleValue] = []
    var storages: [Storage] = []
    var tensors: [Tensor] = []
    /// The value the pickle stands for.
    var root: PickleValue.Reference = 0
    /// Where the pickle ends in the bytes it was read from.
    var end = 0
}

/// What reading a pickle may cost; every limit is far above what checkpoints of any size need.
enum PickleLimits {
    /// Bytes of a pickle.
    static let bytes = 64 << 20
    /// Instructions.
    static let instructions = 10_000_000
    /// Values made.
    static let values = 2_000_000
    /// Values that others refer to.
    static let memo = 1_000_000
    /// Bytes of one text.
    static let text = 16 << 20
    /// Containers inside each other.
    static let depth = 1_000
    /// Steps of a walk over all values, which meets a shared value every time it is referred to.
    static let steps = 2_000_000
    /// Axes of a tensor.
    static let rank = 64
}
