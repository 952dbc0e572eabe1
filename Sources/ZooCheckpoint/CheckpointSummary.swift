// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
package import ZooFiles
internal import ZooTensor

/// What is in a checkpoint, in the form that `ami-zoo inspect` prints.
public struct CheckpointSummary: Sendable {
    /// How the checkpoint is stored.
    public let format: Checkpoint.Format
    /// The tensors, ordered by name.
    public let tensors: [TensorDescription]
    /// The free-form metadata.
    public let metadata: [String: String]
    /// The keys of the outermost dictionary, or the first parts of the tensors' names, up to a dot.
    public let topLevelKeys: [String]
    /// Names of tensors that are the same elements.
    public let ties: [[String]]
    /// The digest of each tensor; empty when none was asked for.
    private let digests: [String: ContentDigest]
    /// The digest of the tensors; nil when it was not asked for.
    public let fingerprint: ContentDigest?

    /// Looks at a checkpoint; with `fingerprinting`, reads all of it.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum` or `io.*`.
    public init(of checkpoint: Checkpoint, fingerprinting: Bool) throws(ZooError) {
        self = try uncancelled { cancellation in
            try Self(of: checkpoint, fingerprinting: fingerprinting, cancellation)
        }
    }

    /// Looks at a checkpoint; with `fingerprinting`, reads all of it.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum` or `io.*`; `CancellationError`.
    package init(
        of checkpoint: Checkpoint,
        fingerprinting: Bool,
        _ cancellation: Cancellation
    ) throws {
        format = checkpoint.format
        tensors = checkpoint.tensors
        metadata = checkpoint.metadata
        topLevelKeys = checkpoint.topLevelKeys
        ties = checkpoint.ties
        guard fingerprinting else {
            (digests, fingerprint) = ([:], nil)
            return
        }
        try checkpoint.requireChecksums(cancellation)
        let digests = try TensorDigests(
            of: checkpoint,
            names: tensors.map(\.name),
            cancellation
        )
        self.digests = Dictionary(uniqueKeysWithValues: digests.rows.map { ($0.name, $0.digest) })
        fingerprint = digests.fingerprint
    }

    /// The digest of a tensor's elements in row-major little-endian order, when it was asked for.
    public func digest(of name: String) -> ContentDigest? { digests[name] }

    /// The size of all tensors together, in bytes.
    public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// The number of elements of all tensors together.
    public var elementCount: Int { tensors.reduce(0) { $0 + $1.shape.elementCount } }

    /// The JSON document: `format`, `tensors` (`name`, `dtype`, `shape`, `bytes`, and
    /// `sha256` when asked for), `metadata`, `topLevelKeys`, `ties`, and `fingerprint` when there is one.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "format": .string(format.rawValue),
            "tensors": .array(
                tensors.map { tensor in
                    var members: [String: JSONValue] = [
                        "name": .string(tensor.name),
                        "dtype": .string(tensor.dtype.rawValue),
                        "shape": .array(tensor.shape.sizes.map { .integer($0) }),
                        "bytes": .integer(tensor.byteCount),
                    ]
                    if let digest = digests[tensor.name] { members["sha256"] = .string(digest.hex) }
                    return .object(members)
                }
            ),
            "metadata": .object(metadata.mapValues { .string($0) }),
            "topLevelKeys": .array(topLevelKeys.map { .string($0) }),
            "ties": .array(ties.map { .array($0.map { .string($0) }) }),
        ]
        if let fingerprint { members["fingerprint"] = .string("\(fingerprint)") }
        return .object(members)
    }
}
