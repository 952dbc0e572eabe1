// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFFmpegShims
internal import ZooCore

/// One pass over the frames of a video file, from the first to the last; all calls block.
///
/// Colours are those of decord, with which published numbers were made, and for 8 bits of PyAV: the
/// matrix and range that the stream states; where it states none, BT.601 of limited range, whatever
/// the size of the frames; chroma of 8 bits is repeated, not interpolated (`sws_getContext` with
/// `SWS_BILINEAR`). On processors other than x86 swscale rounds differently.
@safe
final class VideoDecoder {
    private let path: String
    @unsafe private var handle: OpaquePointer?
    /// How frames are turned to be upright; nil when they are returned as stored.
    let turn: EXIFOrientation?

    /// Opens the best video stream of a file.
    ///
    /// - Throws: ``ZooError`` with a `media.*` or `io.*` code; `media.unsupported` when the container
    ///   has an angle that is not a multiple of 90°, `media.ffmpeg-missing` on a machine without FFmpeg.
    init(_ path: String, limits: MediaLimits, orientation: Orientation) throws(ZooError) {
        try FFmpeg.load()
        self.path = path
        var opened: OpaquePointer?
        var detail: Int32 = 0
        let result = unsafe ami_video_open(path, Int64(limits.pixels), &opened, &detail)
        try FFmpeg.check(result, detail, path)
        unsafe handle = opened
        turn = orientation == .upright ? try unsafe Self.turn(of: opened, path) : nil
    }

    private static func turn(
        of handle: OpaquePointer?,
        _ path: String
    ) throws(ZooError) -> EXIFOrientation? {
        var matrix = [Int32](repeating: 0, count: 9)
        guard unsafe ami_video_matrix(handle, &matrix) != 0 else { return nil }
        guard let orientation = EXIFOrientation(displayMatrix: matrix) else {
            throw ZooError(
                .mediaUnsupported,
                "'\(path)' has a rotation that is not a multiple of 90°",
                remedy: "read it as it is stored, with '--orientation stored'"
            )
        }
        return orientation == .normal ? nil : orientation
    }

    deinit { unsafe ami_video_close(handle) }

    /// The container format, in FFmpeg's words.
    var container: String { unsafe String(cString: ami_video_format(handle)) }

    /// Average frames per second; nil when the file does not say.
    var frameRate: Double? {
        var numerator: Int32 = 0
        var denominator: Int32 = 0
        unsafe ami_video_rate(handle, &numerator, &denominator)
        guard numerator > 0, denominator > 0 else { return nil }
        return Double(numerator) / Double(denominator)
    }

    /// Decodes the next frame.
    ///
    /// - Parameter index: its place in the file, for messages.
    /// - Returns: whether there was one.
    /// - Throws: ``ZooError`` with code `media.damaged`, `media.sizes-differ` or `media.too-large`.
    func next(index: Int) throws(ZooError) -> Bool {
        var detail: Int32 = 0
        let result = unsafe ami_video_next(handle, &detail)
        try FFmpeg.check(result, detail, path, part: "frame \(index)")
        return result == ami_media_ok
    }

    /// The frame that was decoded last.
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
        let stored = RGBImage(width: width, height: height, pixels: pixels)
        return turn.map(stored.turned) ?? stored
    }
}
