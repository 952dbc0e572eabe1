// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The still images that are read.
public enum ImageFormat: String, Sendable, CaseIterable {
    /// Portable Network Graphics.
    case png = "PNG"
    /// JPEG, sequential and progressive, with Huffman or arithmetic coding.
    case jpeg = "JPEG"
    /// WebP, lossy and lossless; the first frame of an animation.
    case webP = "WebP"

    /// The format whose signature a file begins with.
    init?(signature bytes: some Collection<UInt8>) {
        let start = Array(bytes.prefix(12))
        if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if start.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if start.starts(with: Array("RIFF".utf8)),
            start.dropFirst(8).elementsEqual("WEBP".utf8)
        {
            self = .webP
        } else {
            return nil
        }
    }
}

extension ImageFormat {
    /// Rejects a still image of a known format that is not read.
    ///
    /// - Parameters:
    ///   - start: the first 16 bytes of the file.
    ///   - path: the file, for messages.
    /// - Throws: ``ZooError`` with code `media.unsupported`.
    static func refuseOthers(_ start: [UInt8], _ path: String) throws(ZooError) {
        guard start.count >= 12, start[4..<8].elementsEqual("ftyp".utf8),
            let format = brands[String(decoding: start[8..<12], as: UTF8.self)]
        else { return }
        throw ZooError(
            .mediaUnsupported,
            "'\(path)' is a picture in the format \(format), which is not read",
            remedy: "convert it to PNG, for example with "
                + (format == "AVIF"
                    ? "'avifdec IN.avif OUT.png'" : "'heif-convert IN.heic OUT.png'")
        )
    }

    /// Major brands of ISO/IEC 23008-12 (HEIF), annexes B and C, and of AVIF 1.1, section 6.
    private static let brands = [
        "heic": "HEIC", "heix": "HEIC", "heim": "HEIC", "heis": "HEIC", "hevc": "HEIC",
        "hevx": "HEIC", "mif1": "HEIF", "msf1": "HEIF", "avif": "AVIF", "avis": "AVIF",
    ]
}
