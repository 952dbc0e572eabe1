// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CImageShims
internal import ZooCore
internal import ZooFiles

/// Image files to pixels, equal to Pillow's `Image.open(path).convert("RGB")` byte for byte where
/// Pillow uses the same libjpeg-turbo and libwebp.
///
/// - Alpha, colour keys and transparent palette entries are dropped, not blended: the colour below a
///   transparent pixel is what is read.
/// - Grey of 16 bits is cut off at 255, as Pillow does it; colours of 16 bits keep their upper byte.
/// - CMYK and YCCK are taken as inverted, as Adobe stores them.
/// - Of an animation the first frame is read, on black where it does not cover the image.
/// - Colour profiles and gamma are not applied.
///
/// A truncated or damaged file is an error, also where Pillow fills in what is lost: JPEG data with
/// an invalid code or without an end marker, PNG with a wrong checksum after the header, without
/// IEND, or with an index outside its palette.
/// Chunks that do not concern the pixels of the first frame are skipped, also where Pillow refuses
/// their content, such as animation chunks of PNG that contradict each other.
enum ImageDecoder {
    /// Reads and decodes a file, blocking.
    ///
    /// - Throws: ``ZooError`` with a `media.*` or `io.*` code; `CancellationError`, which is
    ///   checked for between the rows of JPEG and PNG files, and between 64 pieces of WebP files.
    static func read(
        _ path: String,
        limits: MediaLimits,
        orientation: Orientation,
        _ cancellation: Cancellation
    ) throws -> RGBImage {
        let (bytes, format) = try contents(of: path, limits: limits)
        let image = try decode(bytes, format, path: path, limits: limits, cancellation)
        guard orientation == .upright, let turn = ImageMetadata.turn(of: bytes, format) else {
            return image
        }
        return image.turned(turn)
    }

    /// How a file has to be turned to be shown upright, without decoding it; blocking.
    static func turn(of path: String, limits: MediaLimits) throws(ZooError) -> EXIFOrientation? {
        let (bytes, format) = try contents(of: path, limits: limits)
        return ImageMetadata.turn(of: bytes, format)
    }

    /// Reads a whole file, with its symbolic links followed.
    private static func contents(
        of path: String,
        limits: MediaLimits
    ) throws(ZooError) -> ([UInt8], ImageFormat) {
        let file = try OpenFile(path, .readFollowing)
        let size = try file.status().size
        guard size <= limits.imageFileBytes else {
            throw ZooError(
                .mediaTooLarge,
                "'\(path)' has \(size) bytes; the limit for an image is \(limits.imageFileBytes)",
                remedy: "scale the image down"
            )
        }
        let bytes = try file.bytes(0..<size)
        try ImageFormat.refuseOthers(Array(bytes.prefix(16)), path)
        guard let format = ImageFormat(signature: bytes) else { throw .mediaUnknown(path) }
        return (bytes, format)
    }

    private static func decode(
        _ bytes: [UInt8],
        _ format: ImageFormat,
        path: String,
        limits: MediaLimits,
        _ cancellation: Cancellation
    ) throws -> RGBImage {
        // libwebp keeps a record of each frame, also of those that nobody decodes.
        if format == .webP, ImageMetadata.frameCount(ofWebP: bytes) > limits.frames {
            throw ZooError(
                .mediaTooLarge,
                "'\(path)' has more than \(limits.frames) frames",
                remedy: "convert the first frame to PNG"
            )
        }
        let kind =
            switch format {
            case .png: ami_image_png
            case .jpeg: ami_image_jpeg
            case .webP: ami_image_webp
            }
        return try unsafe bytes.withUnsafeBufferPointer { buffer in
            var image: OpaquePointer?
            let opened = unsafe ami_image_open(kind, buffer.baseAddress, buffer.count, &image)
            defer { unsafe ami_image_free(image) }
            unsafe try check(opened, image, path)
            let width = unsafe ami_image_width(image)
            let height = unsafe ami_image_height(image)
            let (count, overflow) = width.multipliedReportingOverflow(by: height)
            guard !overflow, count <= limits.pixels else {
                throw ZooError(
                    .mediaTooLarge,
                    "'\(path)' has \(width) x \(height) pixels; the limit is \(limits.pixels) pixels",
                    remedy: "scale the image down"
                )
            }
            guard count > 0 else {
                throw damaged(path, "its size is \(width) x \(height)")
            }
            var pixels = [UInt8](repeating: 0, count: count * 3)
            // The reference is used only during the call, and `cancellation` outlives it.
            let context = unsafe Unmanaged.passUnretained(cancellation).toOpaque()
            let decoded = unsafe pixels.withUnsafeMutableBufferPointer {
                unsafe ami_image_decode(image, $0.baseAddress, context) { context in
                    guard let context = unsafe context else { return false }
                    return unsafe Unmanaged<Cancellation>.fromOpaque(context)
                        .takeUnretainedValue().isCancelled
                }
            }
            guard decoded != ami_image_cancelled else { throw CancellationError() }
            unsafe try check(decoded, image, path)
            return RGBImage(width: width, height: height, pixels: pixels)
        }
    }

    private static func check(
        _ result: ami_image_result,
        _ image: OpaquePointer?,
        _ path: String
    ) throws(ZooError) {
        let problem = unsafe image.map { unsafe String(cString: ami_image_problem($0)) } ?? ""
        switch result {
        case ami_image_ok: return
        case ami_image_unsupported:
            throw ZooError(
                .mediaUnsupported,
                "'\(path)' cannot be read: \(problem)",
                remedy: "convert the image to 8-bit RGB in PNG"
            )
        case ami_image_too_large:
            throw ZooError(
                .mediaTooLarge,
                "'\(path)' is not read: \(problem)",
                remedy: "convert the image to PNG, or scale it down"
            )
        case ami_image_memory:
            throw ZooError(.systemCall, "out of memory while decoding '\(path)'")
        default: throw damaged(path, problem)
        }
    }

    private static func damaged(_ path: String, _ problem: String) -> ZooError {
        ZooError(
            .mediaDamaged,
            "'\(path)' is damaged: \(problem)",
            remedy: "get the file again; it may be truncated"
        )
    }
}
