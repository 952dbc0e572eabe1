// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// Reads a pickle into inert values: protocol 2 as PyTorch writes it, and the plain data of
/// protocol 4.
///
/// It imports nothing and calls nothing. Names outside ``PickleGlobal`` and opcodes outside
/// ``PickleInstruction`` are errors, and every resource has a limit (``PickleLimits``).
struct PickleMachine {
    var reader: PickleReader
    var pickle = Pickle()
    private var stack: [PickleValue.Reference] = []
    private var marks: [Int] = []
    private var memo: [PickleValue.Reference?] = []
    /// The parts of storages, by name.
    var parts: [String: Range<Int>] = [:]
    let isLegacy: Bool

    /// Reads the pickle that begins at `start`.
    ///
    /// - Parameters:
    ///   - bytes: the bytes that contain the pickle.
    ///   - start: the offset of its first byte.
    ///   - isLegacy: whether a storage may be a part of another one, as in the legacy container.
    ///   - source: the name of the file, for messages.
    /// - Returns: the values of the pickle.
    /// - Throws: ``ZooError`` with a `checkpoint.pickle-*` code.
    static func read(
        _ bytes: [UInt8],
        from start: Int = 0,
        isLegacy: Bool = false,
        source: String
    ) throws(ZooError) -> Pickle {
        var machine = PickleMachine(
            reader: PickleReader(bytes: bytes, position: start, source: source),
            isLegacy: isLegacy
        )
        return try machine.run()
    }

    private init(reader: PickleReader, isLegacy: Bool) {
        self.reader = reader
        self.isLegacy = isLegacy
    }

    private mutating func run() throws(ZooError) -> Pickle {
        for _ in 0..<PickleLimits.instructions {
            let code = try reader.byte()
            guard let instruction = PickleInstruction(rawValue: code) else {
                throw reader.error(
                    .pickleInstruction,
                    "holds the opcode \(hexadecimal(code)), which plain data does not need"
                )
            }
            if instruction == .stop {
                guard stack.count == 1, marks.isEmpty else {
                    throw reader.malformed("ends with \(stack.count) values instead of one")
                }
                try rejectLoneLabel()
                pickle.root = stack[0]
                pickle.end = reader.position
                return pickle
            }
            try perform(instruction)
        }
        throw reader.limit("\(PickleLimits.instructions) instructions")
    }

    /// Rejects a label in a pickle without objects, which has no use for the name.
    private func rejectLoneLabel() throws(ZooError) {
        var label: String?
        for value in pickle.values {
            if case .object = value { return }
            if case .label(let name) = value, label == nil { label = name }
        }
        if let label { throw reader.forbidden(label) }
    }

    private func hexadecimal(_ code: UInt8) -> String { "0x" + String(code, radix: 16) }

    // MARK: Instructions

    private mutating func perform(_ instruction: PickleInstruction) throws(ZooError) {
        switch instruction {
        case .stop: break
        case .protocolVersion:
            let version = try reader.byte()
            guard version <= 5 else { throw reader.malformed("has protocol \(version)") }
        case .frame: try reader.frame()
        case .mark: marks.append(stack.count)
        case .none: try push(.none)
        case .newTrue: try push(.bool(true))
        case .newFalse: try push(.bool(false))
        case .integer4: try push(.integer(Int(Int32(truncatingIfNeeded: try reader.integer(4)))))
        case .integer1: try push(.integer(try reader.integer(1)))
        case .integer2: try push(.integer(try reader.integer(2)))
        case .long1: try push(try reader.long())
        case .float8: try push(.float(try reader.double()))
        case .unicode4: try push(.string(try reader.text(lengthOf: 4)))
        case .unicode1: try push(.string(try reader.text(lengthOf: 1)))
        case .unicode8: try push(.string(try reader.text(lengthOf: 8)))
        case .shortString: try push(try reader.shortString())
        case .bytes1: try push(.bytes(try reader.bytes(lengthOf: 1)))
        case .bytes4: try push(.bytes(try reader.bytes(lengthOf: 4)))
        case .bytes8: try push(.bytes(try reader.bytes(lengthOf: 8)))
        case .emptyTuple: try push(.tuple([]))
        case .tuple: try push(.tuple(try popToMark()))
        case .tuple1: try push(.tuple(try pop(count: 1)))
        case .tuple2: try push(.tuple(try pop(count: 2)))
        case .tuple3: try push(.tuple(try pop(count: 3)))
        case .emptyList: try push(.list([]))
        case .emptyDictionary: try push(.dictionary([], isOrdered: false))
        case .emptySet: try push(.set([]))
        case .addItems: try addItems(try popToMark())
        case .append: try append(try pop(count: 1))
        case .appends: try append(try popToMark())
        case .setItem: try setItems(try pop(count: 2))
        case .setItems: try setItems(try popToMark())
        case .put1: try remember(at: try reader.integer(1))
        case .put4: try remember(at: try reader.integer(4))
        case .memoize: try remember(at: memo.count)
        case .get1: try recall(try reader.integer(1))
        case .get4: try recall(try reader.integer(4))
        case .global:
            let module = try reader.line()
            try pushGlobal(module: module, name: try reader.line())
        case .stackGlobal:
            let names = try pop(count: 2)
            guard case .string(let module) = pickle.values[names[0]],
                case .string(let name) = pickle.values[names[1]]
            else { throw reader.malformed("uses a name that is not a string") }
            try pushGlobal(module: module, name: name)
        case .reduce, .newObject:
            let parts = try pop(count: 2)
            try call(parts[0], with: parts[1], isNewObject: instruction == .newObject)
        case .build: try build()
        case .persistentID: try pushStorage()
        }
    }

    private mutating func pushGlobal(module: String, name: String) throws(ZooError) {
        if let global = PickleGlobal(module: module, name: name) {
            try push(.global(global))
        } else if let label = PickleLabel.text(module: module, name: name) {
            try push(.label(label))
        } else {
            throw reader.forbidden("\(module).\(name)")
        }
    }

    // MARK: Stack and memo

    mutating func push(_ value: PickleValue) throws(ZooError) {
        guard pickle.values.count < PickleLimits.values else {
            throw reader.limit("\(PickleLimits.values) values")
        }
        stack.append(pickle.values.count)
        pickle.values.append(value)
    }

    mutating func pop(count: Int) throws(ZooError) -> [PickleValue.Reference] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw reader.malformed("pops \(count) values from a stack that has fewer")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(ZooError) -> [PickleValue.Reference] {
        guard let mark = marks.popLast() else { throw reader.malformed("lacks a mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func top() throws(ZooError) -> PickleValue.Reference {
        guard stack.count > (marks.last ?? 0), let top = stack.last else {
            throw reader.malformed("uses an empty stack")
        }
        return top
    }

    private mutating func remember(at index: Int) throws(ZooError) {
        guard index < PickleLimits.memo else {
            throw reader.limit("\(PickleLimits.memo) memo entries")
        }
        let value = try top()
        while memo.count <= index { memo.append(nil) }
        memo[index] = value
    }

    private mutating func recall(_ index: Int) throws(ZooError) {
        guard memo.indices.contains(index), let value = memo[index] else {
            throw reader.malformed("refers to memo entry \(index), which does not exist")
        }
        guard stack.count < PickleLimits.values else {
            throw reader.limit("\(PickleLimits.values) values")
        }
        stack.append(value)
    }

    // MARK: Containers

    private mutating func append(_ elements: [PickleValue.Reference]) throws(ZooError) {
        let target = try top()
        guard case .list(var items) = pickle.values[target] else {
            throw reader.malformed("appends to a value that is not a list")
        }
        // Moved out of the array while it grows, which avoids a copy on each append.
        pickle.values[target] = .none
        items.append(contentsOf: elements)
        pickle.values[target] = .list(items)
    }

    private mutating func addItems(_ elements: [PickleValue.Reference]) throws(ZooError) {
        let target = try top()
        guard case .set(var items) = pickle.values[target] else {
            throw reader.malformed("adds to a value that is not a set")
        }
        pickle.values[target] = .none
        items.append(contentsOf: elements)
        pickle.values[target] = .set(items)
    }

    private mutating func setItems(_ elements: [PickleValue.Reference]) throws(ZooError) {
        let target = try top()
        guard case .dictionary(var items, let isOrdered) = pickle.values[target] else {
            throw reader.malformed("sets an item of a value that is not a dictionary")
        }
        guard elements.count.isMultiple(of: 2) else {
            throw reader.malformed("has a key without a value")
        }
        for key in stride(from: 0, to: elements.count, by: 2) {
            guard isKey(elements[key]) else { throw reader.malformed("uses a container as a key") }
        }
        pickle.values[target] = .none
        items.append(contentsOf: elements)
        pickle.values[target] = .dictionary(items, isOrdered: isOrdered)
    }

    /// Whether a value can be a key: any value but a container, or a tuple of such values.
    func isKey(_ reference: PickleValue.Reference) -> Bool {
        func isPlain(_ value: PickleValue) -> Bool {
            switch value {
            case .list, .dictionary, .set, .tuple: false
            default: true
            }
        }
        guard case .tuple(let items) = pickle.values[reference] else {
            return isPlain(pickle.values[reference])
        }
        return items.allSatisfy { isPlain(pickle.values[$0]) }
    }

    /// Keeps the attributes of an object, and drops those of an `OrderedDict`, such as the
    /// `_metadata` of a state dictionary, which do not describe tensors.
    ///
    /// No other value may have attributes.
    private mutating func build() throws(ZooError) {
        let state = try pop(count: 1)[0]
        let target = try top()
        if case .object(let name, nil) = pickle.values[target] {
            let attributes = try attributes(state, of: name)
            pickle.values[target] = .object(name, attributes: attributes)
            return
        }
        guard case .dictionary(_, isOrdered: true) = pickle.values[target],
            case .dictionary = pickle.values[state]
        else {
            throw reader.malformed("sets the state of a value that is not an OrderedDict")
        }
    }

    /// The attributes in the state of an object: a dictionary, or none beside those in slots.
    private func attributes(
        _ state: PickleValue.Reference,
        of name: String
    ) throws(ZooError) -> PickleValue.Reference? {
        switch pickle.values[state] {
        case .dictionary: return state
        case .tuple(let parts) where parts.count == 2:
            if case .dictionary = pickle.values[parts[0]] { return parts[0] }
            if case .none = pickle.values[parts[0]] { return nil }
        case .tuple(let parts) where parts.count == 4 && name == "functools.partial": return nil
        default: break
        }
        throw reader.malformed("sets a state of '\(name)' that is not a dictionary of attributes")
    }
}
