// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
internal import ZooTensor

/// The tensors of a checkpoint, grouped as in a lab's training code.
///
/// There is one state dict for each network, and the name prefixes of wrappers are removed.
package struct UpstreamTensors: Sendable {
    /// One state dict.
    package struct Group: Sendable {
        /// Its key in the file; ``UpstreamTensors/whole`` for the whole file.
        package let key: String
        /// The tensors by clean name, which has no wrapper prefixes.
        package let tensors: [String: TensorDescription]

        /// The shape of a tensor, or nil.
        func shape(_ name: String) -> [Int]? { tensors[name]?.shape.sizes }

        /// The number of numbered parts whose names begin with `prefix`.
        func count(of prefix: String) -> Int {
            var numbers: Set<Substring> = []
            for name in tensors.keys where name.hasPrefix(prefix) {
                numbers.insert(name.dropFirst(prefix.count).prefix { $0 != "." })
            }
            return numbers.count
        }
    }

    /// The key of the group that holds every tensor under its full name.
    package static let whole = "."
    /// The parts of names that wrappers add; upstream removes them at any position.
    ///
    /// Source: facebookresearch/vjepa2 `src/hub/backbones.py` (the first two), and PyTorch:
    /// `torch.compile`, `FullyShardedDataParallel`, `checkpoint_wrapper`.
    private static let wrappers: Set<Substring> = [
        "module", "backbone", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
    ]
    /// The number of states that `torch.optim.swa_utils.AveragedModel` averaged, which is no weight.
    private static let counter = "n_averaged"

    /// The checkpoint.
    package let checkpoint: Checkpoint
    /// The groups by key; a key of a list ends with a dot and the index.
    package let groups: [String: Group]

    /// Groups the tensors of a checkpoint.
    ///
    /// - Throws: ``ZooError`` with code `convert.tensors-mismatch` when two tensors have the same
    ///   clean name.
    package init(_ checkpoint: Checkpoint) throws(ZooError) {
        self.checkpoint = checkpoint
        var tensors: [String: [String: TensorDescription]] = [:]
        for tensor in checkpoint.tensors {
            tensors[Self.whole, default: [:]][tensor.name] = tensor
            guard let (key, rest) = Self.split(tensor.name) else { continue }
            let name = Self.clean(rest)
            guard name != Self.counter else { continue }
            if let other = tensors[key, default: [:]].updateValue(tensor, forKey: name) {
                throw ZooError(
                    .conversionTensorsMismatch,
                    "'\(tensor.name)' and '\(other.name)' of '\(checkpoint.path)' have the same "
                        + "name '\(name)' without the prefixes of wrappers"
                )
            }
        }
        groups = Dictionary(
            uniqueKeysWithValues: tensors.map { ($0.key, Group(key: $0.key, tensors: $0.value)) }
        )
    }

    /// A name without the parts that wrappers add; the last part is always the tensor's own.
    private static func clean(_ name: String) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return (parts.dropLast().filter { !wrappers.contains($0) } + parts.suffix(1))
            .joined(separator: ".")
    }

    /// Splits a name into the key of its group and the name in the group.
    ///
    /// The key is the first part of the name, followed by the index if the first part is a list.
    private static func split(_ name: String) -> (key: String, rest: String)? {
        guard let dot = name.firstIndex(of: ".") else { return nil }
        let key = name[..<dot]
        let rest = name[name.index(after: dot)...]
        guard UpstreamNesting.isList(key), let next = rest.firstIndex(of: "."),
            Int(rest[..<next]) != nil
        else { return (String(key), String(rest)) }
        return (String(name[..<next]), String(rest[rest.index(after: next)...]))
    }
}
