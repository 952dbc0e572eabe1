// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// Storages and tensors.
extension PickleMachine {
    /// Pushes the storage of a persistent identifier: `("storage", type, key, location, count)`.
    ///
    /// In the legacy container, the tuple also selects a part of the storage.
    mutating func pushStorage() throws(ZooError) {
        guard case .tuple(let items) = pickle.values[try pop(count: 1)[0]], items.count >= 4,
            items.count <= 6
        else { throw reader.malformed("refers to something that is not a storage") }
        let values = items.map { pickle.values[$0] }
        // The legacy container writes the source text of a class beside its name; nobody reads it.
        if isLegacy, items.count == 4, case .string("module") = values[0],
            case .label(let name) = values[1]
        {
            try push(.label(name))
            return
        }
        guard items.count >= 5, case .string("storage") = values[0],
            case .string(let key) = values[2],
            case .string = values[3], case .integer(let count) = values[4], count >= 0
        else { throw reader.malformed("has an invalid description of a storage") }
        let dtype: DType?
        switch values[1] {
        case .global(.storage(let type)): dtype = type
        case .global(.untypedStorage): dtype = nil
        case .global(.typedStorage):
            throw reader.invalidTensor("a storage does not state its element type")
        case .label(let name): throw reader.forbidden(name)
        default: throw reader.malformed("refers to a storage of an unknown type")
        }
        let part = values.count == 6 ? try self.part(values[5], of: key, count: count) : nil
        pickle.storages.append(Pickle.Storage(key: key, dtype: dtype, count: count, part: part))
        try push(.storage(pickle.storages.count - 1))
    }

    /// The selected part of a storage, in the legacy container only.
    private mutating func part(
        _ value: PickleValue,
        of key: String,
        count: Int
    ) throws(ZooError) -> Range<Int>? {
        guard isLegacy else { throw reader.malformed("has an invalid description of a storage") }
        if case .none = value { return nil }
        guard case .tuple(let view) = value, view.count == 3,
            case .string(let name) = pickle.values[view[0]],
            case .integer(let offset) = pickle.values[view[1]],
            case .integer(let length) = pickle.values[view[2]]
        else { throw reader.malformed("has an invalid description of a part of a storage") }
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
            throw reader.invalidTensor("a part of a storage is outside the storage")
        }
        // PyTorch uses the first part with a name for all parts with that name.
        let part = offset..<offset + length
        let known = parts.updateValue(part, forKey: name)
        guard name != key, known ?? part == part else {
            throw reader.invalidTensor("storage '\(name)' has two different descriptions")
        }
        return part
    }

    mutating func tensor(
        _ rebuild: PickleGlobal.Rebuild,
        _ values: [PickleValue]
    ) throws(ZooError) -> PickleValue {
        let counts =
            switch rebuild {
            case .first: 4...4
            case .second: 6...7
            case .third: 7...8
            }
        guard counts.contains(values.count), case .storage(let storage) = values[0] else {
            throw reader.malformed("has an invalid description of a tensor")
        }
        guard case .integer(let offset) = values[1] else {
            throw reader.invalidTensor("a tensor's offset is not an integer")
        }
        let sizes = try integers(values[2], "sizes")
        let strides = try integers(values[3], "strides")
        if rebuild != .first {
            guard hasNoHooks(values[5]) else {
                throw reader.invalidTensor("a tensor has hooks")
            }
        }
        // For example `conj`, which changes how PyTorch reads the elements.
        if values.count > counts.lowerBound {
            guard case .dictionary(let notes, _) = values[counts.upperBound - 1], notes.isEmpty
            else { throw reader.invalidTensor("a tensor has unsupported properties") }
        }
        var dtype = pickle.storages[storage].dtype
        if rebuild == .third {
            guard case .global(.dtype(let type)) = values[6] else {
                throw reader.invalidTensor("a tensor has an unsupported element type")
            }
            dtype = type
        }
        guard let dtype else {
            throw reader.invalidTensor("a tensor over an untyped storage has no element type")
        }
        pickle.tensors.append(
            Pickle.Tensor(
                storage: storage,
                dtype: dtype,
                offset: offset,
                sizes: sizes,
                strides: strides
            )
        )
        return .tensor(pickle.tensors.count - 1)
    }

    private func integers(_ value: PickleValue, _ what: String) throws(ZooError) -> [Int] {
        let items: [PickleValue.Reference]
        switch value {
        case .tuple(let elements), .list(let elements): items = elements
        default: throw reader.invalidTensor("a tensor's \(what) are not integers")
        }
        guard items.count <= PickleLimits.rank else {
            throw reader.invalidTensor("a tensor has \(items.count) axes")
        }
        var numbers: [Int] = []
        for item in items {
            guard case .integer(let number) = pickle.values[item], number >= 0 else {
                throw reader.invalidTensor("a tensor's \(what) are not integers of at least 0")
            }
            numbers.append(number)
        }
        return numbers
    }
}
