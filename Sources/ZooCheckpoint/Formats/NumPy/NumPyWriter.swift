// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles
public import ZooTensor

/// Writes one tensor as a `.npy` file, version 1.0 (numpy `lib/format.py`).
public enum NumPyWriter {
    /// Writes a file atomically.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    public static func write(_ tensor: Tensor, to path: String) throws(ZooError) {
        let sizes = tensor.shape.sizes
        let shape =
            sizes.map(String.init).joined(separator: ", ") + (sizes.count == 1 ? "," : "")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }"
        // Magic, version and length take 10 bytes; the elements begin at a multiple of 64 bytes.
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        let length = header.utf8.count
        let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        let start = magic + [UInt8(length & 0xFF), UInt8(length >> 8)] + Array(header.utf8)
        try uncancelled { _ in
            try FileSystem.writeAtomically(path) { file in
                try file.write(start, at: 0)
                try file.write(StoredTensor(tensor), at: start.count)
            }
        }
    }
}
