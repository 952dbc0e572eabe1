// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
package import ZooTensor

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

/// The fingerprint of named tensors: see ``Checkpoint/fingerprint(ofNamesBeginningWith:)``.
package enum TensorFingerprint {
    /// What counts of one tensor.
    package struct Row: Sendable {
        /// The name.
        package let name: String
        /// The type of the elements.
        package let dtype: DType
        /// The sizes.
        package let shape: Shape
        /// The digest of the row-major little-endian elements.
        package let digest: ContentDigest

        /// A row.
        package init(name: String, dtype: DType, shape: Shape, digest: ContentDigest) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.digest = digest
        }
    }

    /// The digest of rows in any order.
    package static func digest(of rows: [Row]) -> ContentDigest {
        let ordered = rows.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return ContentDigest(
            of: JSONValue.array(
                ordered.map { row in
                    [
                        .string(row.name), .string(row.dtype.rawValue),
                        .array(row.shape.sizes.map { .integer($0) }), .string(row.digest.hex),
                    ]
                }
            ).canonicalBytes
        )
    }
}

/// The digests of a checkpoint's tensors, each over its elements in row-major little-endian order.
package struct TensorDigests: Sendable {
    /// One row for each tensor.
    package let rows: [TensorFingerprint.Row]

    /// Reads some tensors of a checkpoint; those that are the same elements once.
    package init(of checkpoint: Checkpoint, names: [String]) {
        var known: [TensorView.Identity: ContentDigest] = [:]
        rows = names.compactMap { name in
            guard let view = checkpoint.view(name) else { return nil }
            let digest = known[view.identity] ?? view.digest
            known[view.identity] = digest
            return TensorFingerprint.Row(
                name: name,
                dtype: view.dtype,
                shape: view.shape,
                digest: digest
            )
        }
    }

    /// The fingerprint of these tensors.
    package var fingerprint: ContentDigest { TensorFingerprint.digest(of: rows) }
}

extension TensorView {
    /// The digest of the elements.
    var digest: ContentDigest {
        var hasher = ContentDigest.Hasher()
        try? forEachChunk { hasher.update($0) }
        return hasher.finish()
    }
}
