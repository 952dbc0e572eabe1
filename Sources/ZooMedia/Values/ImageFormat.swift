// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

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
