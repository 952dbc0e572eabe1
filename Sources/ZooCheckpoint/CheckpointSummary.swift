// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooTensor

/// What is in a checkpoint, in the form that `ami-zoo inspect` prints.
public struct CheckpointSummary: Sendable {
    /// How the checkpoint is stored.
    public let format: Checkpoint.Format
    /// The tensors, ordered by name.
    public let tensors: [TensorDescription]
    /// The free-form metadata.
    public let metadata: [String: String]
    /// The first parts of the tensors' names, up to a dot: the components of a model.
    public let topLevelKeys: [String]
    /// The digest of the tensors; nil when it was not asked for.
    public let fingerprint: ContentDigest?

    /// Looks at a checkpoint; with `fingerprinting`, reads all of it.
    public init(of checkpoint: Checkpoint, fingerprinting: Bool) {
        format = checkpoint.format
        tensors = checkpoint.tensors
        metadata = checkpoint.metadata
        topLevelKeys = Set(
            checkpoint.tensors.map { $0.name.prefix { $0 != "." } }.map { String($0) }
        ).sorted()
        fingerprint = fingerprinting ? checkpoint.fingerprint() : nil
    }

    /// The size of all tensors together, in bytes.
    public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// The number of elements of all tensors together.
    public var elementCount: Int { tensors.reduce(0) { $0 + $1.shape.elementCount } }

    /// The JSON document: `format`, `tensors` (`name`, `dtype`, `shape`, `bytes`), `metadata`,
    /// `topLevelKeys`, and `fingerprint` when there is one.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "format": .string(format.rawValue),
            "tensors": .array(
                tensors.map { tensor in
                    .object([
                        "name": .string(tensor.name),
                        "dtype": .string(tensor.dtype.rawValue),
                        "shape": .array(tensor.shape.extents.map { .integer($0) }),
                        "bytes": .integer(tensor.byteCount),
                    ])
                }
            ),
            "metadata": .object(metadata.mapValues { .string($0) }),
            "topLevelKeys": .array(topLevelKeys.map { .string($0) }),
        ]
        if let fingerprint { members["fingerprint"] = .string("\(fingerprint)") }
        return .object(members)
    }
}
