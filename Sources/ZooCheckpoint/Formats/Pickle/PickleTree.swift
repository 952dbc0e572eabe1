// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The tensors of a pickle by the keys that lead to them.
struct PickleTree {
    /// A tensor's name, keys joined by dots, and its place in ``Pickle/tensors``.
    private(set) var tensors: [(name: String, tensor: Int)] = []
    /// The keys of the outermost dictionary.
    private(set) var topLevelKeys: [String] = []
    /// The numbers and texts of the outermost dictionary, as people read them.
    private(set) var notes: [String: String] = [:]

    /// A container on the way to a tensor.
    private struct Level {
        let container: PickleValue.Reference
        let children: [(key: String, value: PickleValue.Reference)]
        var next = 0
    }

    /// Walks a pickle.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.pickle-limit` for one that holds itself, nests
    ///   too deep, or unfolds without end, and `checkpoint.pickle-malformed` when two tensors have
    ///   the same name.
    init(of pickle: Pickle, source: String) throws(ZooError) {
        let reader = PickleReader(bytes: [], position: pickle.end, source: source)
        var names: Set<String> = []
        var path: [String] = []
        var levels: [Level] = []
        var open: Set<PickleValue.Reference> = []
        var steps = 0
        func note(_ value: PickleValue.Reference, at path: [String]) throws(ZooError) {
            if case .tensor(let tensor) = pickle.values[value] {
                let name = path.joined(separator: ".")
                guard names.insert(name).inserted else {
                    throw reader.malformed("has two tensors called '\(name.prefix(200))'")
                }
                tensors.append((name, tensor))
            } else if let children = Self.children(of: value, in: pickle) {
                guard open.insert(value).inserted else {
                    throw reader.limit("finite space: it holds itself")
                }
                guard levels.count < PickleLimits.depth else {
                    throw reader.limit("\(PickleLimits.depth) levels")
                }
                levels.append(Level(container: value, children: children))
            }
        }
        try note(pickle.root, at: [])
        if case .dictionary = pickle.values[pickle.root], let top = levels.first {
            for (key, value) in top.children {
                // In a flat state dictionary, the keys are the names of tensors.
                var name = key
                if case .tensor = pickle.values[value] { name = String(key.prefix { $0 != "." }) }
                if !topLevelKeys.contains(name) { topLevelKeys.append(name) }
            }
            for (key, value) in top.children {
                if let text = Self.text(of: pickle.values[value]) { notes[key] = text }
            }
        }
        while let level = levels.last {
            guard level.next < level.children.count else {
                open.remove(level.container)
                levels.removeLast()
                if !path.isEmpty { path.removeLast() }
                continue
            }
            steps += 1
            guard steps <= PickleLimits.steps else {
                throw reader.limit("\(PickleLimits.steps) values when shared ones are unfolded")
            }
            let (key, value) = level.children[level.next]
            levels[levels.count - 1].next += 1
            path.append(key)
            let depth = levels.count
            try note(value, at: path)
            if levels.count == depth { path.removeLast() }
        }
    }

    /// The children of a container by their keys; of equal keys the last one counts, as in Python.
    private static func children(
        of value: PickleValue.Reference,
        in pickle: Pickle
    ) -> [(key: String, value: PickleValue.Reference)]? {
        switch pickle.values[value] {
        case .tuple(let items), .list(let items):
            return items.enumerated().map { (String($0.offset), $0.element) }
        case .dictionary(let items, _):
            var children: [(key: String, value: PickleValue.Reference)] = []
            var places: [String: Int] = [:]
            for index in stride(from: 0, to: items.count, by: 2) {
                let (kind, key) = self.key(pickle.values[items[index]], position: index / 2)
                if let place = places.updateValue(children.count, forKey: kind + key) {
                    places[kind + key] = place
                    children[place].value = items[index + 1]
                } else {
                    children.append((key, items[index + 1]))
                }
            }
            return children
        default: return nil
        }
    }

    /// A key as text, and what kind of key it is: the text `1` and the number 1 are two keys.
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
