// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// One value of a pickle, as inert data.
///
/// Values refer to each other by their index in ``Pickle/values``, so that a cyclic or deeply
/// nested pickle needs no recursion to store or to free.
enum PickleValue {
    /// The index of a value in ``Pickle/values``.
    typealias Reference = Int

    case none
    case bool(Bool)
    case integer(Int)
    /// An integer of more than 64 bits.
    case largeInteger
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case tuple([Reference])
    case list([Reference])
    case set([Reference])
    /// Alternating keys and values; `isOrdered` for an `OrderedDict`, which may have attributes.
    case dictionary([Reference], isOrdered: Bool)
    /// A global name on the allowlist.
    case global(PickleGlobal)
    /// A global name that stays a text; see ``PickleLabel``.
    case label(String)
    /// An object of the class with this name, and the dictionary of its attributes.
    case object(String, attributes: Reference?)
    /// The index of a storage in ``Pickle/storages``.
    case storage(Int)
    /// The index of a tensor in ``Pickle/tensors``.
    case tensor(Int)
    /// A value that does not affect tensors: a device, a layout, an element type.
    case opaque
}

/// The content of a pickle.
struct Pickle {
    /// A storage: the elements that tensors refer to.
    struct Storage: Hashable {
        /// The name of the record that holds the elements.
        let key: String
        /// The type of the elements; nil for an untyped storage, whose tensors state their types.
        let dtype: DType?
        /// The number of elements, or of bytes for an untyped storage.
        let count: Int
        /// The selected elements in the legacy container; nil for all.
        let part: Range<Int>?
    }

    /// A view of a storage.
    struct Tensor: Hashable {
        /// The index of the storage in ``Pickle/storages``.
        let storage: Int
        /// The type of the elements.
        let dtype: DType
        /// The index of the first element in the storage.
        let offset: Int
        /// The shape, outermost size first.
        let sizes: [Int]
        /// The strides, in elements.
        let strides: [Int]
    }

    var values: [PickleValue] = []
    var storages: [Storage] = []
    var tensors: [Tensor] = []
    /// The root value of the pickle.
    var root: PickleValue.Reference = 0
    /// The offset of the end of the pickle in its bytes.
    var end = 0
}

/// The limits for reading a pickle, far above what checkpoints of any size need.
enum PickleLimits {
    /// Bytes of a pickle.
    static let bytes = 64 << 20
    /// Instructions.
    static let instructions = 10_000_000
    /// Values created.
    static let values = 2_000_000
    /// Memo entries.
    static let memo = 1_000_000
    /// Bytes of one string.
    static let text = 16 << 20
    /// Nested containers.
    static let depth = 1_000
    /// Steps of a traversal, which visits a shared value once for each reference.
    static let steps = 2_000_000
    /// Axes of a tensor.
    static let rank = 64
}
