// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CZstd
package import ZooCore

/// Documents of a few megabytes as one zstd frame (RFC 8878), such as catalogue segments.
package enum CompressedDocument {
    /// Compresses a document into one frame with a content size.
    ///
    /// - Parameter raw: the document.
    /// - Returns: the frame.
    /// - Throws: ``ZooError`` with code `archive.frame-malformed` when zstd fails.
    package static func compress(_ raw: [UInt8]) throws(ZooError) -> [UInt8] {
        let bound = ZSTD_compressBound(raw.count)
        var failure: Int?
        // zstd writes at most `bound` bytes, and the pointers are used only during the call.
        let frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { room, count in
            let size = unsafe raw.withUnsafeBytes { raw in
                unsafe ZSTD_compress(room.baseAddress, bound, raw.baseAddress, raw.count, 3)
            }
            if ZSTD_isError(size) == 0 { count = size } else { failure = size }
        }
        if let failure { throw malformed(failure) }
        return frame
    }

    /// Decompresses exactly one frame.
    ///
    /// - Parameters:
    ///   - frame: the frame.
    ///   - limit: the maximum size of the document in bytes.
    /// - Returns: the document.
    /// - Throws: ``ZooError`` with code `archive.frame-malformed`; `json.too-large` when the frame
    ///   declares no size or one beyond `limit`.
    package static func decompress(_ frame: [UInt8], limit: Int) throws(ZooError) -> [UInt8] {
        let (declared, length) = unsafe frame.withUnsafeBytes { frame in
            unsafe (
                ZSTD_getFrameContentSize(frame.baseAddress, frame.count),
                ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
            )
        }
        guard length == frame.count else { throw malformed(length) }
        // Both special values, "unknown" and "error", are beyond every limit.
        guard declared <= UInt64(limit) else {
            throw ZooError(
                .jsonTooLarge,
                "a compressed document has more than \(limit) bytes, or does not state its size",
                remedy: "tell the owner of the registry"
            )
        }
        let size = Int(declared)
        var failure: Int?
        let raw = unsafe [UInt8](unsafeUninitializedCapacity: max(1, size)) { room, count in
            let written = unsafe frame.withUnsafeBytes { frame in
                unsafe ZSTD_decompress(room.baseAddress, size, frame.baseAddress, frame.count)
            }
            if ZSTD_isError(written) == 0, written == size {
                count = size
            } else {
                failure = written
            }
        }
        if let failure { throw malformed(failure) }
        return raw
    }

    private static func malformed(_ result: Int) -> ZooError {
        let reason =
            ZSTD_isError(result) == 0
            ? "it is not one whole frame" : unsafe String(cString: ZSTD_getErrorName(result))
        return ZooError(
            .frameMalformed,
            "a compressed document is malformed: \(reason)",
            remedy: "tell the owner of the registry"
        )
    }
}
