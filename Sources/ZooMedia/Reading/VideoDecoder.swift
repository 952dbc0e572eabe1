// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFFmpegShims
internal import ZooCore

/// One pass over the pictures of a video file, from the first to the last; all calls block.
///
/// Colours are those of decord, with which published numbers were made, and for 8 bits of PyAV: the
/// matrix and range that the stream states; where it states none, BT.601 of limited range, whatever
/// the size of the picture; chroma of 8 bits is repeated, not interpolated (`sws_getContext` with
/// `SWS_BILINEAR`). On processors other than x86 swscale rounds differently. Rotation that the
/// container may ask for is not applied, as decord and PyAV do not apply it.
@safe
final class VideoDecoder {
    private let path: String
    @unsafe private var handle: OpaquePointer?

    /// Opens the best video stream of a file.
    init(_ path: String, limits: MediaLimits) throws(ZooError) {
        _ = FFmpeg.isSilent
        self.path = path
        var detail: Int32 = 0
        let result = unsafe ami_video_open(path, Int64(limits.pixels), &handle, &detail)
        try FFmpeg.check(result, detail, path)
    }

    deinit { unsafe ami_video_close(handle) }

    /// The container format, in FFmpeg's words.
    var container: String { unsafe String(cString: ami_video_format(handle)) }

    /// Average pictures per second; nil when the file does not say.
    var frameRate: Double? {
        var numerator: Int32 = 0
        var denominator: Int32 = 0
        unsafe ami_video_rate(handle, &numerator, &denominator)
        guard numerator > 0, denominator > 0 else { return nil }
        return Double(numerator) / Double(denominator)
    }

    /// Decodes the next picture.
    ///
    /// - Parameter index: Its place in the file, for messages.
    /// - Returns: Its size, or nil after the last one.
    /// - Throws: ``ZooError`` with code `media.damaged`, `media.sizes-differ` or `media.too-large`.
    func next(index: Int) throws(ZooError) -> (width: Int, height: Int)? {
        var detail: Int32 = 0
        let result = unsafe ami_video_next(handle, &detail)
        try FFmpeg.check(result, detail, path, part: "frame \(index)")
        guard result == ami_media_ok else { return nil }
        return unsafe (ami_video_width(handle), ami_video_height(handle))
    }

    /// The picture that was decoded last.
    func image(index: Int) throws(ZooError) -> RGBImage {
        let width = unsafe ami_video_width(handle)
        let height = unsafe ami_video_height(handle)
        var result = ami_media_ok
        let pixels = unsafe [UInt8](unsafeUninitializedCapacity: width * height * 3) {
            buffer,
            used in
            unsafe buffer.initialize(repeating: 0)
            result = unsafe ami_video_copy_rgb(handle, buffer.baseAddress)
            used = width * height * 3
        }
        try FFmpeg.check(result, 0, path, part: "frame \(index)")
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}
