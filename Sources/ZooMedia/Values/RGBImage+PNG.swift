// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFFmpegShims
public import ZooCore

extension RGBImage {
    /// The picture as the bytes of a PNG file.
    ///
    /// - Throws: ``ZooError`` with code `media.unsupported` when the FFmpeg libraries of this machine
    ///   were built without the PNG encoder, or `media.too-large`.
    public func pngBytes() throws(ZooError) -> [UInt8] {
        _ = FFmpeg.isSilent
        guard let columns = Int32(exactly: width), let rows = Int32(exactly: height) else {
            throw ZooError(.mediaTooLarge, "a PNG file cannot have \(width) x \(height) pixels")
        }
        let sink = ByteSink()
        let result = unsafe pixels.withUnsafeBufferPointer { buffer in
            unsafe ami_png_encode(
                buffer.baseAddress,
                columns,
                rows,
                Unmanaged.passUnretained(sink).toOpaque()
            ) { context, bytes, count in
                guard let context = unsafe context else { return }
                let sink = unsafe Unmanaged<ByteSink>.fromOpaque(context).takeUnretainedValue()
                sink.bytes = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
            }
        }
        try FFmpeg.check(result, 0, "a picture")
        return sink.bytes
    }
}

/// Takes what the encoder hands out.
private final class ByteSink {
    var bytes: [UInt8] = []
}
