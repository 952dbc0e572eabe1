// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The tensors of a pickle, named by the path of keys that leads to them.
struct PickleTree {
    /// The name of each tensor (keys joined by dots) and its index in ``Pickle/tensors``.
    private(set) var tensors: [(name: String, tensor: Int)] = []
    /// The keys of the outermost dictionary.
    private(set) var topLevelKeys: [String] = []
    /// The numbers and strings of the outermost dictionary, as text.
    private(set) var notes: [String: String] = [:]

    /// A value in a container, by key.
    typealias Child = (key: String, value: PickleValue.Reference)

    /// A container on the current path.
    private struct Level {
        let container: PickleValue.Reference
        let children: [Child]
        var next = 0
    }

    /// Traverses a pickle.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.pickle-limit` if the pickle contains itself, is
    ///   nested too deeply, or expands to too many values, `checkpoint.pickle-malformed` if two
    ///   tensors have the same name, and `checkpoint.tensor-invalid` if the file is an object whose
    ///   tensors have no names that are known.
    init(of pickle: Pickle, source: String) throws(ZooError) {
        let reader = PickleReader(bytes: [], position: pickle.end, source: source)
        if case .object(let name, _) = pickle.values[pickle.root],
            try PickledModule(pickle.root, in: pickle, reader) == nil
        {
            throw reader.error(
                .torchTensorInvalid,
                "is an object '\(name.prefix(200))', which is not a module"
            )
        }
        let holdsTensors = try Self.holdsTensors(pickle, reader)
        switch pickle.values[pickle.root] {
        case .dictionary, .object:
            for (key, value) in try Self.children(of: pickle.root, in: pickle, reader) ?? [] {
                // In a flat state dictionary, the keys are the names of tensors.
                var name = key
                if case .tensor = pickle.values[value] { name = String(key.prefix { $0 != "." }) }
                if !topLevelKeys.contains(name) { topLevelKeys.append(name) }
                if let text = Self.text(of: pickle.values[value]) { notes[key] = text }
            }
        default: break
        }
        var names: Set<String> = []
        var path: [String] = []
        var levels: [Level] = []
        var steps = 0
        var next: PickleValue.Reference? = pickle.root
        while true {
            if let value = next, case .tensor(let tensor) = pickle.values[value] {
                let name = path.joined(separator: ".")
                guard names.insert(name).inserted else {
                    throw reader.malformed("has two tensors called '\(name.prefix(200))'")
                }
                tensors.append((name, tensor))
                if !path.isEmpty { path.removeLast() }
            } else if let value = next, holdsTensors[value] {
                let children = try Self.children(of: value, in: pickle, reader) ?? []
                levels.append(Level(container: value, children: children))
            } else if next != nil, !path.isEmpty {
                path.removeLast()
            }
            while let level = levels.last, level.next == level.children.count {
                levels.removeLast()
                if !path.isEmpty { path.removeLast() }
            }
            guard let level = levels.last else { return }
            steps += 1
            guard steps <= PickleLimits.steps else {
                throw reader.limit("\(PickleLimits.steps) values, shared ones counted each time")
            }
            levels[levels.count - 1].next += 1
            let child = level.children[level.next]
            path.append(child.key)
            next = child.value
        }
    }

    /// Which values are tensors or contain one.
    ///
    /// Visits each value once, however often it is referenced, so that values without tensors are
    /// not traversed later.
    private static func holdsTensors(
        _ pickle: Pickle,
        _ reader: PickleReader
    ) throws(ZooError) -> [Bool] {
        enum State { case new, open, done }
        var states = [State](repeating: .new, count: pickle.values.count)
        var holds = [Bool](repeating: false, count: pickle.values.count)
        var depths = [Int](repeating: 0, count: pickle.values.count)
        var levels: [Level] = []
        var next: PickleValue.Reference? = pickle.root
        while true {
            if let value = next {
                switch states[value] {
                case .open: throw reader.limit("nested levels, because it contains itself")
                case .done: break
                case .new:
                    if case .tensor = pickle.values[value] { holds[value] = true }
                    if let children = try children(of: value, in: pickle, reader) {
                        states[value] = .open
                        levels.append(Level(container: value, children: children))
                    } else {
                        states[value] = .done
                    }
                }
            }
            guard let level = levels.last else { return holds }
            if level.next < level.children.count {
                levels[levels.count - 1].next += 1
                next = level.children[level.next].value
            } else {
                let container = level.container
                states[container] = .done
                holds[container] = level.children.contains { holds[$0.value] }
                depths[container] = 1 + (level.children.map { depths[$0.value] }.max() ?? 0)
                guard depths[container] <= PickleLimits.depth else {
                    throw reader.limit("\(PickleLimits.depth) nested levels")
                }
                levels.removeLast()
                next = nil
            }
        }
    }

    /// What is in a container or a module by key; nil for other values.
    ///
    /// Attributes of objects that are no modules hold state of a program and not weights, so that
    /// they are left out.
    private static func children(
        of value: PickleValue.Reference,
        in pickle: Pickle,
        _ reader: PickleReader
    ) throws(ZooError) -> [Child]? {
        guard let module = try PickledModule(value, in: pickle, reader) else {
            return items(of: value, in: pickle)
        }
        return module.tensors + module.modules
    }

    /// The items of a container by key; the last of several equal keys wins, as in Python.
    static func items(of value: PickleValue.Reference, in pickle: Pickle) -> [Child]? {
        switch pickle.values[value] {
        case .tuple(let items), .list(let items):
            return items.enumerated().map { (String($0.offset), $0.element) }
        case .dictionary(let items, _):
            var children: [Child] = []
            var places: [ExactName: Int] = [:]
            for index in stride(from: 0, to: items.count, by: 2) {
                let (kind, key) = self.key(pickle.values[items[index]], position: index / 2)
                let name = ExactName(kind + key)
                if let place = places.updateValue(children.count, forKey: name) {
                    places[name] = place
                    children[place].value = items[index + 1]
                } else {
                    children.append((key, items[index + 1]))
                }
            }
            return children
        default: return nil
        }
    }

    /// A key as text, and its kind: the string `1` and the number 1 are different keys.
    private static func key(_ value: PickleValue, position: Int) -> (kind: String, text: String) {
        switch value {
        case .string(let text): ("text ", text)
        case .integer(let number): ("number ", String(number))
        default: ("other ", "<key \(position)>")
        }
    }

    private static func text(of value: PickleValue) -> String? {
        switch value {
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let number): String(number)
        case .float(let number): String(number)
        case .string(let text): String(text.prefix(200))
        default: nil
        }
    }
}
