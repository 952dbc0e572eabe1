// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooTensor

extension Checkpoint {
    /// The digest of the tensors themselves, whatever container they are stored in.
    ///
    /// It is the SHA-256 of the canonical JSON (RFC 8785) of an array with one element per tensor,
    /// ordered by the UTF-8 bytes of the names:
    ///
    ///     [["encoder.layernorm.bias","F32",[64],"<64 hexadecimal digits>"], …]
    ///
    /// that is: name, element type as safetensors names it, shape, and the SHA-256 of the
    /// row-major little-endian elements in lower-case hexadecimal. Metadata and the order of the
    /// tensors in a file do not count.
    ///
    /// Reads every byte of those tensors and blocks meanwhile.
    ///
    /// - Parameter prefix: takes in only tensors whose names begin with it: those of a component.
    /// - Returns: the digest.
    public func fingerprint(ofNamesBeginningWith prefix: String = "") -> ContentDigest {
        TensorDigests(of: self, names: tensors.map(\.name).filter { $0.hasPrefix(prefix) })
            .fingerprint
    }
}

/// The digests of a checkpoint's tensors, each over its elements in row-major little-endian order.
package struct TensorDigests: Sendable {
    /// A tensor and its digest.
    package struct Entry: Sendable {
        let description: TensorDescription
        package let digest: ContentDigest
    }

    /// The digests by name.
    package let entries: [String: Entry]

    /// Reads some tensors of a checkpoint; those that are the same elements once.
    package init(of checkpoint: Checkpoint, names: [String]) {
        var known: [TensorView.Identity: ContentDigest] = [:]
        var entries: [String: Entry] = [:]
        for name in names {
            guard let view = checkpoint.view(name) else { continue }
            let digest = known[view.identity] ?? view.digest
            known[view.identity] = digest
            let description = TensorDescription(
                name: name,
                dtype: view.dtype,
                shape: view.shape,
                byteCount: view.byteCount
            )
            entries[name] = Entry(description: description, digest: digest)
        }
        self.entries = entries
    }

    /// The fingerprint of these tensors, as ``Checkpoint/fingerprint(ofNamesBeginningWith:)``.
    package var fingerprint: ContentDigest {
        let rows = entries.values.sorted {
            $0.description.name.utf8.lexicographicallyPrecedes($1.description.name.utf8)
        }
        return ContentDigest(
            of: JSONValue.array(
                rows.map { entry in
                    [
                        .string(entry.description.name),
                        .string(entry.description.dtype.rawValue),
                        .array(entry.description.shape.extents.map { .integer($0) }),
                        .string(entry.digest.hex),
                    ]
                }
            ).canonicalBytes
        )
    }
}

extension TensorView {
    /// The digest of the elements.
    var digest: ContentDigest {
        var hasher = ContentDigest.Hasher()
        try? forEachChunk { hasher.update($0) }
        return hasher.finish()
    }
}
