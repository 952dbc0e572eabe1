// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The parts of an `nn.Module` that its `state_dict()` is made of.
///
/// Source: pytorch/pytorch `torch/nn/modules/module.py`, `_save_to_state_dict`.
struct PickledModule {
    /// Tensors by name; no buffers that are not persistent.
    let tensors: [PickleTree.Child]
    /// Modules by name.
    let modules: [PickleTree.Child]
}

extension PickledModule {
    /// The module that an object is; nil for an object of another kind.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-invalid` when the names or tensors of its
    ///   `state_dict()` cannot be known from the file.
    init?(
        _ value: PickleValue.Reference,
        in pickle: Pickle,
        _ reader: PickleReader
    ) throws(ZooError) {
        guard case .object(let name, let attributes?) = pickle.values[value],
            let parts = Self.parts(attributes, in: pickle)
        else { return nil }
        func refusal(_ what: String) -> ZooError {
            reader.error(.torchTensorInvalid, "holds a module '\(name.prefix(200))' that \(what)")
        }
        func members(_ part: String) throws(ZooError) -> [PickleTree.Child] {
            guard let part = parts[part], let items = PickleTree.items(of: part, in: pickle) else {
                throw refusal("has no dictionary of \(part.dropFirst())")
            }
            return items.filter { if case .none = pickle.values[$0.value] { false } else { true } }
        }
        // PyTorch calls the hooks to rename or replace what it saves.
        if let hooks = parts["_state_dict_hooks"] {
            guard PickleTree.items(of: hooks, in: pickle)?.isEmpty == true else {
                throw refusal("has hooks that may rename its tensors")
            }
        }
        var hidden: Set<ExactName> = []
        if let names = parts["_non_persistent_buffers_set"] {
            guard case .set(let items) = pickle.values[names] else {
                throw refusal("does not say which of its buffers are saved")
            }
            for item in items {
                if case .string(let name) = pickle.values[item] { hidden.insert(ExactName(name)) }
            }
        }
        let buffers = try members("_buffers").filter { !hidden.contains(ExactName($0.key)) }
        tensors = try members("_parameters") + buffers
        modules = try members("_modules")
        for child in tensors {
            guard case .tensor = pickle.values[child.value] else {
                throw refusal("has a weight '\(child.key.prefix(200))' that is not a plain tensor")
            }
        }
        for child in modules where !Self.isModule(child.value, in: pickle) {
            throw refusal("has a part '\(child.key.prefix(200))' that is not a module")
        }
    }

    private static func isModule(_ value: PickleValue.Reference, in pickle: Pickle) -> Bool {
        guard case .object(_, let attributes?) = pickle.values[value] else { return false }
        return parts(attributes, in: pickle) != nil
    }

    /// The attributes by name if they are those of a module.
    private static func parts(
        _ attributes: PickleValue.Reference,
        in pickle: Pickle
    ) -> [String: PickleValue.Reference]? {
        var parts: [String: PickleValue.Reference] = [:]
        for (key, value) in PickleTree.items(of: attributes, in: pickle) ?? [] {
            parts[key] = value
        }
        let isModule = ["_parameters", "_buffers", "_modules"].allSatisfy { parts[$0] != nil }
        return isModule ? parts : nil
    }
}
