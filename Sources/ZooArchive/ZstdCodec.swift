// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CZstd
internal import ZooCore

/// One-shot zstd compression (RFC 8878) of whole frames with reused contexts.
///
/// Not thread-safe; each worker owns one.
@safe
final class ZstdCodec {
    private let compressor: OpaquePointer
    private let decompressor: OpaquePointer

    /// Rejects windows larger than 2^23 bytes, because blocks have at most 4 MiB.
    private static let largestWindowLog: Int32 = 23

    init() {
        guard let compressor = unsafe ZSTD_createCCtx(), let decompressor = unsafe ZSTD_createDCtx()
        else { preconditionFailure("zstd cannot allocate a context") }
        unsafe self.compressor = compressor
        unsafe self.decompressor = decompressor
        unsafe ZSTD_DCtx_setParameter(decompressor, ZSTD_d_windowLogMax, Self.largestWindowLog)
    }

    deinit {
        unsafe ZSTD_freeCCtx(compressor)
        unsafe ZSTD_freeDCtx(decompressor)
    }

    /// Compresses `raw` into one frame with a content size and without a checksum.
    ///
    /// The digests in the block table replace the checksum.
    func compress(
        _ raw: BlockBuffer,
        into frame: BlockBuffer,
        level: Int32
    ) throws(ZooError) {
        unsafe try frame.replace { room throws(ZooError) in
            let size = unsafe try raw.withBytes { raw throws(ZooError) in
                unsafe ZSTD_compressCCtx(
                    compressor,
                    room.baseAddress,
                    room.count,
                    raw.baseAddress,
                    raw.count,
                    level
                )
            }
            return try Self.checked(size)
        }
    }

    /// Decompresses exactly one frame.
    ///
    /// - Parameters:
    ///   - frame: the encoded block.
    ///   - raw: receives the content.
    ///   - size: the content size that the block table declares.
    /// - Throws: ``ZooError`` with code `archive.frame-malformed`.
    func decompress(
        _ frame: BlockBuffer,
        into raw: BlockBuffer,
        size: Int
    ) throws(ZooError) {
        unsafe try frame.withBytes { frame throws(ZooError) in
            let declared = unsafe ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
            let length = unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
            guard declared == UInt64(size), length == frame.count else {
                throw ZooError(
                    .frameMalformed,
                    "a block is not one zstd frame of \(frame.count) bytes with a content of "
                        + "\(size) bytes",
                    remedy: "do not use this release; tell its publisher"
                )
            }
            unsafe try raw.replace { room throws(ZooError) in
                try Self.checked(
                    unsafe ZSTD_decompressDCtx(
                        decompressor,
                        room.baseAddress,
                        size,
                        frame.baseAddress,
                        frame.count
                    )
                )
            }
        }
    }

    private static func checked(_ result: Int) throws(ZooError) -> Int {
        guard ZSTD_isError(result) == 0 else {
            let reason = unsafe String(cString: ZSTD_getErrorName(result))
            throw ZooError(
                .frameMalformed,
                "a block is not a valid zstd frame: \(reason)",
                remedy: "do not use this release; tell its publisher"
            )
        }
        return result
    }
}
