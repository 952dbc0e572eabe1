// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CImageShims
public import ZooCore
internal import ZooFiles

extension RGBImage {
    /// The image as the bytes of a PNG file.
    ///
    /// - Throws: ``ZooError`` with code `media.too-large`, or `io.failed` when memory runs out.
    public func pngBytes() throws(ZooError) -> [UInt8] {
        let sink = ByteSink()
        let result = unsafe pixels.withUnsafeBufferPointer { buffer in
            unsafe ami_png_encode(
                buffer.baseAddress,
                width,
                height,
                Unmanaged.passUnretained(sink).toOpaque()
            ) { context, bytes, count in
                guard let context = unsafe context else { return }
                let sink = unsafe Unmanaged<ByteSink>.fromOpaque(context).takeUnretainedValue()
                sink.bytes = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
            }
        }
        switch result {
        case ami_image_ok: return sink.bytes
        case ami_image_too_large:
            throw ZooError(.mediaTooLarge, "a PNG file cannot have \(width) x \(height) pixels")
        default:
            throw ZooError(.systemCall, "out of memory while encoding a PNG file")
        }
    }
}

/// Takes what the encoder passes on.
private final class ByteSink {
    var bytes: [UInt8] = []
}
