// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFFmpegShims
internal import ZooCore
internal import ZooFiles

/// Results of calls to FFmpeg as errors that name the file.
enum FFmpeg {
    /// Loads the libraries, once in a process.
    ///
    /// - Throws: ``ZooError`` with code `media.ffmpeg-missing`.
    static func load() throws(ZooError) {
        guard let reason = unsafe ami_media_load() else { return }
        throw ZooError(
            .mediaLibraryMissing,
            unsafe "FFmpeg's libraries, which read video, cannot be loaded: \(String(cString: reason))",
            remedy: "install them, on Debian and Ubuntu with 'apt-get install "
                + "libavformat\(ami_media_avformat_version()) libswscale\(ami_media_swscale_version())'"
        )
    }

    /// Throws unless the call succeeded or reached the end.
    ///
    /// - Parameters:
    ///   - result: what the call returned.
    ///   - detail: the number it left: an errno, or an error number of FFmpeg.
    ///   - path: the file.
    ///   - part: the part that was being read, such as "frame 3".
    /// - Throws: ``ZooError`` with a `media.*` or `io.*` code.
    static func check(
        _ result: ami_media_result,
        _ detail: Int32,
        _ path: String,
        part: String = ""
    ) throws(ZooError) {
        let place = part.isEmpty ? "'\(path)'" : "\(part) of '\(path)'"
        switch result {
        case ami_media_ok, ami_media_end: return
        case ami_media_system: throw .system(detail, "open", path)
        case ami_media_not_a_file:
            throw ZooError(.mediaUnknown, "'\(path)' is not a regular file")
        case ami_media_unrecognised, ami_media_refused: throw .mediaUnknown(path)
        case ami_media_no_stream:
            throw ZooError(
                .mediaNoFrames,
                "'\(path)' holds no video",
                remedy: "give a file with a video stream, or an image"
            )
        case ami_media_no_decoder:
            throw ZooError(
                .mediaUnsupported,
                "the FFmpeg libraries of this machine cannot decode \(place)",
                remedy: "convert the file to H.264 in MP4, or to PNG images in a folder"
            )
        case ami_media_too_large:
            throw ZooError(
                .mediaTooLarge,
                "\(place) has more pixels than allowed",
                remedy: "scale the video down"
            )
        case ami_media_size_changed:
            throw ZooError(
                .mediaSizesDiffer,
                "\(place) has another size than the frames before it",
                remedy: "convert the video to one size"
            )
        case ami_media_pixels_unsupported:
            throw ZooError(
                .mediaUnsupported,
                "\(place) has a pixel format that cannot be converted to RGB",
                remedy: "convert the video to 8-bit YUV"
            )
        case ami_media_memory:
            throw ZooError(.systemCall, "out of memory while decoding \(place)")
        default:
            throw ZooError(
                .mediaDamaged,
                "\(place) cannot be decoded: \(text(of: detail))",
                remedy: "get the file again; it may be truncated"
            )
        }
    }

    private static func text(of detail: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        unsafe ami_media_error_text(detail, &text, text.count)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "error \(detail)" : String(decoding: bytes, as: UTF8.self)
    }
}
