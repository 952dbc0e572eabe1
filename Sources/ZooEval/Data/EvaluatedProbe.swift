// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
package import ZooFiles
internal import ZooModels

/// An attentive probe that was published apart from its model.
package struct EvaluatedProbe: Sendable {
    /// The folder.
    private let folder: String
    /// What identifies it, however it was stored: the digest of the canonical object with `configuration`, its
    /// `config.json`, and `fingerprint`, that of its tensors (`registry/SPEC.md` section 4.3).
    let digest: ContentDigest
    /// The network.
    let network: AttentiveProbe

    /// Loads a probe.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: a folder that `ami-zoo convert` wrote for a probe.
    ///   - cancellation: stops the reading.
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*`, `json.*` or `io.*` code; `CancellationError`.
    package init(folder: String, _ cancellation: Cancellation) throws {
        self.folder = folder
        network = try AttentiveProbe(folder: folder)
        digest = try Self.digest(folder, cancellation)
    }

    /// Checks that the folder still holds the probe that was loaded.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with code `io.changed`, or as ``init(folder:_:)``; `CancellationError`.
    package func requireUnchanged(_ cancellation: Cancellation) throws {
        guard try Self.digest(folder, cancellation) == digest else {
            throw ZooError(
                .fileChanged,
                "the probe in '\(folder)' was changed while the suite ran",
                remedy: "run the command again while nothing writes to the folder"
            )
        }
    }

    private static func digest(
        _ folder: String,
        _ cancellation: Cancellation
    ) throws -> ContentDigest {
        let checkpoint = try Checkpoint(opening: folder)
        let tensors = try TensorDigests(
            of: checkpoint,
            names: checkpoint.tensors.map(\.name),
            cancellation
        )
        let value: JSONValue = [
            "configuration": .object(try ModelFolder(folder).configuration.members),
            "fingerprint": .string(TensorFingerprint.digest(of: tensors.rows).description),
        ]
        return ContentDigest(of: value.canonicalBytes)
    }
}
