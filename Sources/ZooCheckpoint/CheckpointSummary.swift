// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
package import ZooFiles
internal import ZooTensor

/// The content of a checkpoint, as `ami-zoo inspect` prints it.
public struct CheckpointSummary: Sendable {
    /// The format of the checkpoint.
    public let format: Checkpoint.Format
    /// The tensors, ordered by name.
    public let tensors: [TensorDescription]
    /// The free-form metadata.
    public let metadata: [String: String]
    /// The keys of the outermost dictionary, or the first parts of the tensors' names, up to a dot.
    public let topLevelKeys: [String]
    /// Groups of names that share the same elements.
    public let ties: [[String]]
    /// The digest of each tensor; empty if no fingerprint was requested.
    private let digests: [String: ContentDigest]
    /// The digest of the tensors; nil if it was not requested.
    public let fingerprint: ContentDigest?

    /// Summarises a checkpoint; with `fingerprinting`, reads all of its elements.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum` or `io.*`.
    public init(of checkpoint: Checkpoint, fingerprinting: Bool) throws(ZooError) {
        self = try uncancelled { cancellation in
            try Self(of: checkpoint, fingerprinting: fingerprinting, cancellation)
        }
    }

    /// Summarises a checkpoint; with `fingerprinting`, reads all of its elements.
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

    /// The digest of a tensor's elements in row-major little-endian order, if it was requested.
    public func digest(of name: String) -> ContentDigest? { digests[name] }

    /// The total size of all tensors, in bytes.
    public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// The total number of elements of all tensors.
    public var elementCount: Int { tensors.reduce(0) { $0 + $1.shape.elementCount } }

    /// The JSON document.
    ///
    /// Fields: `format`, `tensors` (`name`, `dtype`, `shape`, `bytes`, and `sha256` if requested),
    /// `metadata`, `topLevelKeys`, `ties`, and `fingerprint` if there is one.
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
