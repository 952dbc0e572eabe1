// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFFmpegShims
internal import CImageShims
internal import ZooFiles

/// The libraries that decode pictures with loss: their pixels may differ by a few levels between versions.
///
/// PNG is not among them, because its pixels are the same in every version.
package enum MediaDecoders {
    /// The versions of the libraries that decode JPEG and WebP images, by name.
    ///
    /// libjpeg does not tell its version; its name is followed by that of the file that is loaded, which differs between
    /// releases of libjpeg-turbo that change its interface.
    package static let images: [String: String] = {
        let webp = ami_webp_version()
        var jpeg = unsafe String(cString: ami_jpeg_version())
        if let path = unsafe ami_jpeg_library() {
            let file = FileSystem.name(of: FileSystem.realPath(unsafe String(cString: path)))
            // A program that links it statically has no such file.
            if file.hasPrefix("libjpeg") { jpeg += " (\(file))" }
        }
        return [
            "libjpeg": jpeg,
            "libwebp": "\(webp >> 16).\(webp >> 8 & 255).\(webp & 255)",
        ]
    }()

    /// The version of the library that decodes videos, by name; empty when it cannot be loaded.
    package static var videos: [String: String] {
        guard (try? FFmpeg.load()) != nil else { return [:] }
        return ["ffmpeg": unsafe String(cString: ami_media_version())]
    }
}
