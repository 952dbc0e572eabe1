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

    /// A container on the current path.
    private struct Level {
        let container: PickleValue.Reference
        let children: [(key: String, value: PickleValue.Reference)]
        var next = 0
    }

    /// Traverses a pickle.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.pickle-limit` if the pickle contains itself, is
    ///   nested too deeply, or expands to too many values, and `checkpoint.pickle-malformed` if two
    ///   tensors have the same name.
    init(of pickle: Pickle, source: String) throws(ZooError) {
        let reader = PickleReader(bytes: [], position: pickle.end, source: source)
        try Self.rejectSaveHooks(pickle, reader)
        let holdsTensors = try Self.holdsTensors(pickle, reader)
        switch pickle.values[pickle.root] {
        case .dictionary, .object:
            for (key, value) in Self.children(of: pickle.root, in: pickle) ?? [] {
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
                let children = Self.children(of: value, in: pickle) ?? []
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
                    if let children = children(of: value, in: pickle) {
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

    /// The children of a container by key; the last of several equal keys wins, as in Python.
    private static func children(
        of value: PickleValue.Reference,
        in pickle: Pickle
    ) -> [(key: String, value: PickleValue.Reference)]? {
        switch pickle.values[value] {
        case .tuple(let items), .list(let items):
            return items.enumerated().map { (String($0.offset), $0.element) }
        case .dictionary(let items, _):
            var children: [(key: String, value: PickleValue.Reference)] = []
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
        case .object(_, let attributes?): return moduleChildren(attributes, in: pickle)
        default: return nil
        }
    }

    /// Rejects modules with hooks that PyTorch calls to rename tensors in `state_dict()`: the names
    /// in such a file are not those of the weights.
    private static func rejectSaveHooks(
        _ pickle: Pickle,
        _ reader: PickleReader
    ) throws(ZooError) {
        for case .object(let name, let attributes?) in pickle.values {
            for (key, value) in children(of: attributes, in: pickle) ?? []
            where key == "_state_dict_hooks" {
                guard case .dictionary(let hooks, _) = pickle.values[value], !hooks.isEmpty else {
                    continue
                }
                throw reader.error(
                    .torchTensorInvalid,
                    "holds a '\(name.prefix(200))' whose hooks may rename its tensors"
                )
            }
        }
    }

    /// The tensors and modules of an `nn.Module` by name, in the order of its `state_dict()`; nil
    /// for any other object, whose attributes PyTorch does not save either.
    ///
    /// Source: pytorch/pytorch `torch/nn/modules/module.py`, `_save_to_state_dict`.
    private static func moduleChildren(
        _ attributes: PickleValue.Reference,
        in pickle: Pickle
    ) -> [(key: String, value: PickleValue.Reference)]? {
        var parts: [String: PickleValue.Reference] = [:]
        for (key, value) in children(of: attributes, in: pickle) ?? [] { parts[key] = value }
        guard let parameters = parts["_parameters"], let buffers = parts["_buffers"],
            let modules = parts["_modules"]
        else { return nil }
        var hidden: Set<ExactName> = []
        if let names = parts["_non_persistent_buffers_set"],
            case .set(let items) = pickle.values[names]
        {
            for item in items {
                if case .string(let name) = pickle.values[item] { hidden.insert(ExactName(name)) }
            }
        }
        func tensors(
            _ part: PickleValue.Reference
        ) -> [(key: String, value: PickleValue.Reference)] {
            (children(of: part, in: pickle) ?? []).filter { child in
                if case .tensor = pickle.values[child.value] { true } else { false }
            }
        }
        let inner = (children(of: modules, in: pickle) ?? []).filter { child in
            if case .object = pickle.values[child.value] { true } else { false }
        }
        return tensors(parameters) + tensors(buffers).filter { !hidden.contains(ExactName($0.key)) }
            + inner
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
