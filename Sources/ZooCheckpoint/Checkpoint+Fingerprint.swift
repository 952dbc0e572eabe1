// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
package import ZooFiles
package import ZooTensor

extension Checkpoint {
    /// Computes the digest of the tensors, independent of the container that stores them.
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
    /// Reads every byte of the tensors and blocks until done.
    ///
    /// - Parameter prefix: selects the tensors whose names begin with it, such as a component's.
    /// - Returns: the digest.
    /// - Throws: ``ZooError`` with an `io.*` code if some bytes cannot be read.
    public func fingerprint(
        ofNamesBeginningWith prefix: String = ""
    ) throws(ZooError) -> ContentDigest {
        try uncancelled { cancellation in
            let names = tensors.map(\.name).filter { $0.hasPrefix(prefix) }
            return try TensorDigests(of: self, names: names, cancellation).fingerprint
        }
    }
}

/// Runs work without cancellation, so that it only throws ``ZooError``.
func uncancelled<Result>(
    _ work: (Cancellation) throws -> Result
) throws(ZooError) -> Result {
    do {
        return try work(Cancellation())
    } catch let error as ZooError {
        throw error
    } catch {
        preconditionFailure("\(error) where only a ZooError is thrown")
    }
}

/// The fingerprint of named tensors: see ``Checkpoint/fingerprint(ofNamesBeginningWith:)``.
package enum TensorFingerprint {
    /// The properties of one tensor that the fingerprint covers.
    package struct Row: Sendable {
        /// The name.
        package let name: String
        /// The type of the elements.
        package let dtype: DType
        /// The shape.
        package let shape: Shape
        /// The digest of the row-major little-endian elements.
        package let digest: ContentDigest

        /// Creates a row.
        package init(name: String, dtype: DType, shape: Shape, digest: ContentDigest) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.digest = digest
        }
    }

    /// The digest of rows, which may be in any order.
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

    /// Reads some tensors of a checkpoint; tied tensors are read once.
    ///
    /// - Parameters:
    ///   - checkpoint: the checkpoint.
    ///   - names: the tensors; names that the checkpoint lacks are skipped.
    ///   - cancellation: stops the reading.
    /// - Throws: ``ZooError`` with an `io.*` code if some bytes cannot be read or the files change
    ///   during the call, or `CancellationError`.
    package init(
        of checkpoint: Checkpoint,
        names: [String],
        _ cancellation: Cancellation
    ) throws {
        var known: [TensorView.Identity: ContentDigest] = [:]
        var rows: [TensorFingerprint.Row] = []
        for name in names {
            guard let view = checkpoint.view(name) else { continue }
            let digest =
                if let digest = known[view.identity] { digest } else {
                    try view.digest(cancellation)
                }
            known[view.identity] = digest
            rows.append(
                TensorFingerprint.Row(
                    name: name,
                    dtype: view.dtype,
                    shape: view.shape,
                    digest: digest
                )
            )
        }
        try checkpoint.requireIntact()
        self.rows = rows
    }

    /// The fingerprint of these tensors.
    package var fingerprint: ContentDigest { TensorFingerprint.digest(of: rows) }
}

extension TensorView {
    /// The digest of the elements.
    func digest(_ cancellation: Cancellation) throws -> ContentDigest {
        var hasher = ContentDigest.Hasher()
        try forEachChunk(cancellation) { hasher.update($0) }
        return hasher.finish()
    }
}
