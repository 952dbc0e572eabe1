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
        let entries = tensors.filter { $0.name.hasPrefix(prefix) }.map { tensor -> JSONValue in
            var hasher = ContentDigest.Hasher()
            self[tensor.name]?.withBytes { hasher.update($0) }
            return [
                .string(tensor.name), .string(tensor.dtype.rawValue),
                .array(tensor.shape.extents.map { .integer($0) }), .string(hasher.finish().hex),
            ]
        }
        return ContentDigest(of: JSONValue.array(entries).canonicalBytes)
    }
}
