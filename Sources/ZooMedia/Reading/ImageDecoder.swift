// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFFmpegShims
internal import ZooCore
internal import ZooFiles

/// Image files to pixels, as near to Pillow's `Image.open(path).convert("RGB")` as decoders agree.
///
/// PNG and lossless WebP are equal to it; alpha is dropped. JPEG uses FFmpeg's entropy decoder with
/// the inverse transform of libjpeg, then chroma and colour as libjpeg-turbo computes them; lossy
/// WebP uses chroma and colour as libwebp does. The orientation that EXIF may ask for is not
/// applied, as Pillow does not apply it.
enum ImageDecoder {
    /// Reads and decodes a file, blocking.
    static func read(_ path: String, limits: MediaLimits) throws(ZooError) -> RGBImage {
        let bytes = try contents(of: path, limits: limits)
        guard let format = ImageFormat(signature: bytes) else { throw FFmpeg.unknown(path) }
        return try decode(bytes, format, path: path, limits: limits)
    }

    /// Reads a whole file, with its symbolic links followed.
    static func contents(of path: String, limits: MediaLimits) throws(ZooError) -> [UInt8] {
        let file = try OpenFile(path, .readFollowing)
        let size = try file.status().size
        guard size <= limits.imageFileBytes else {
            throw ZooError(
                .mediaTooLarge,
                "'\(path)' has \(size) bytes; the limit for an image is \(limits.imageFileBytes)"
            )
        }
        return try file.bytes(0..<size)
    }

    /// The size that a file's header states, once it is known to be allowed.
    static func header(
        _ bytes: [UInt8],
        _ format: ImageFormat,
        path: String,
        limits: MediaLimits
    ) throws(ZooError) -> ImageHeader {
        let header = try ImageHeader(format, bytes, path: path)
        let (count, overflow) = header.width.multipliedReportingOverflow(by: header.height)
        guard !overflow, count <= limits.pixels else {
            throw ZooError(
                .mediaTooLarge,
                "'\(path)' says it has \(header.width) x \(header.height) pixels; the limit is "
                    + "\(limits.pixels) pixels",
                remedy: "scale the image down first"
            )
        }
        return header
    }

    static func decode(
        _ bytes: [UInt8],
        _ format: ImageFormat,
        path: String,
        limits: MediaLimits
    ) throws(ZooError) -> RGBImage {
        _ = FFmpeg.isSilent
        let header = try header(bytes, format, path: path, limits: limits)
        let still = format == .webP ? try WebPAnimation.firstFrame(of: bytes, path: path) : nil
        let kind =
            switch format {
            case .png: ami_image_png
            case .jpeg: ami_image_jpeg
            case .webP: ami_image_webp
            }
        var picture: OpaquePointer?
        var detail: Int32 = 0
        let result = unsafe (still ?? bytes).withUnsafeBufferPointer { buffer in
            unsafe ami_image_decode(
                kind,
                buffer.baseAddress,
                buffer.count,
                Int64(limits.pixels),
                &picture,
                &detail
            )
        }
        try FFmpeg.check(result, detail, path)
        defer { unsafe ami_picture_free(picture) }
        let width = unsafe ami_picture_width(picture)
        let height = unsafe ami_picture_height(picture)
        guard width == header.width, height == header.height else {
            throw ZooError(
                .mediaDamaged,
                "'\(path)' says it has \(header.width) x \(header.height) pixels, and has "
                    + "\(width) x \(height)"
            )
        }
        var copied = ami_media_ok
        let pixels = unsafe [UInt8](unsafeUninitializedCapacity: width * height * 3) {
            buffer,
            used in
            unsafe buffer.initialize(repeating: 0)
            copied = unsafe ami_picture_copy_rgb(picture, buffer.baseAddress)
            used = width * height * 3
        }
        try FFmpeg.check(copied, 0, path)
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}
