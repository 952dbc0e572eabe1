// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Calls, which are interpreted and not executed.
extension PickleMachine {
    mutating func call(
        _ function: PickleValue.Reference,
        with arguments: PickleValue.Reference,
        isNewObject: Bool
    ) throws(ZooError) {
        if case .label(let name) = pickle.values[function] {
            guard isNewObject else { throw reader.forbidden(name) }
            guard case .tuple = pickle.values[arguments] else {
                throw reader.malformed("builds an object with arguments that are not a tuple")
            }
            try push(.object(name, attributes: nil))
            return
        }
        guard case .global(let global) = pickle.values[function] else {
            throw reader.malformed("calls a value that is not a global name")
        }
        guard case .tuple(let arguments) = pickle.values[arguments] else {
            throw reader.malformed("calls a global name with arguments that are not a tuple")
        }
        guard !isNewObject || global == .orderedDictionary || global == .parameter else {
            throw reader.malformed("builds an object that is not plain data")
        }
        try push(try result(of: global, arguments))
    }

    private mutating func result(
        of global: PickleGlobal,
        _ arguments: [PickleValue.Reference]
    ) throws(ZooError) -> PickleValue {
        let values = arguments.map { pickle.values[$0] }
        switch global {
        case .orderedDictionary where arguments.isEmpty: return .dictionary([], isOrdered: true)
        case .orderedDictionary:
            // As Python 2 writes it: one list of pairs.
            if case .list(let pairs)? = values.first, values.count == 1 {
                return .dictionary(try items(of: pairs), isOrdered: true)
            }
        case .partial:
            if case .label? = values.first, values.count == 1 {
                return .object("functools.partial", attributes: nil)
            }
            throw reader.forbidden("functools.partial")
        case .counter:
            if case .dictionary(let items, _)? = values.first, values.count == 1 {
                return .dictionary(items, isOrdered: false)
            }
            if values.isEmpty { return .dictionary([], isOrdered: false) }
        case .set:
            if case .list(let items)? = values.first, values.count == 1 { return .set(items) }
            if values.isEmpty { return .set([]) }
        case .size:
            switch values.first {
            case .tuple(let items)?, .list(let items)?: return .tuple(items)
            default: break
            }
        case .device, .complex, .byteArray: return .opaque
        case .layout:
            if case .string("torch.strided")? = values.first, values.count == 1 { return .opaque }
        case .encode:
            if case .string(let text)? = values.first { return .bytes(Array(text.utf8)) }
        case .parameter:
            if case .tensor(let tensor)? = values.first { return .tensor(tensor) }
        case .rebuildParameter:
            if values.count == 3, case .tensor(let tensor) = values[0] {
                guard hasNoHooks(values[2]) else {
                    throw reader.invalidTensor("a parameter has hooks")
                }
                return .tensor(tensor)
            }
        case .rebuildTensor(let rebuild): return try tensor(rebuild, values)
        case .storage, .untypedStorage, .typedStorage, .dtype: break
        }
        throw reader.malformed("calls '\(global)' with invalid arguments")
    }

    /// The keys and values of a list of pairs.
    private func items(
        of pairs: [PickleValue.Reference]
    ) throws(ZooError) -> [PickleValue.Reference] {
        var items: [PickleValue.Reference] = []
        for pair in pairs {
            switch pickle.values[pair] {
            case .list(let parts) where parts.count == 2 && isKey(parts[0]),
                .tuple(let parts) where parts.count == 2 && isKey(parts[0]):
                items += parts
            default: throw reader.malformed("has an OrderedDict of something other than pairs")
            }
        }
        return items
    }

    /// Whether the hooks of a tensor are absent: an empty dictionary, or None from Python 2.
    func hasNoHooks(_ value: PickleValue) -> Bool {
        switch value {
        case .none: true
        case .dictionary(let hooks, _): hooks.isEmpty
        default: false
        }
    }
}
