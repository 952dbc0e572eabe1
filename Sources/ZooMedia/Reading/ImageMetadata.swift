// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What is read of an image file besides its pixels, by walking over its parts without decoding.
enum ImageMetadata {
    /// How an image is to be turned to be shown upright; nil when it is stored that way.
    ///
    /// Read from EXIF in JPEG (the first APP1 segment that holds it), PNG (the last eXIf chunk) and
    /// WebP (the EXIF chunk that the header announces), as Pillow does. An orientation that only XMP
    /// states, or a `Raw profile type exif` text of PNG, is not read.
    static func turn(of bytes: [UInt8], _ format: ImageFormat) -> EXIFOrientation? {
        let block =
            switch format {
            case .jpeg: jpegBlock(bytes)
            case .png: pngBlock(bytes)
            case .webP: webPBlock(bytes)
            }
        guard let block, let orientation = EXIFBlock(block)?.orientation,
            orientation != .normal
        else { return nil }
        return orientation
    }

    /// Frames of a WebP animation; 0 for a still image.
    static func frameCount(ofWebP bytes: [UInt8]) -> Int {
        var count = 0
        webPChunks(bytes) { name, _ in
            if name == fourCC("ANMF") { count += 1 }
            return true
        }
        return count
    }

    /// Segments up to the first scan; ITU-T T.81, annex B.
    private static func jpegBlock(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        var offset = 2
        while offset + 2 <= bytes.count {
            // Fill bytes, and bytes that belong to no segment, are passed over.
            guard bytes[offset] == 0xFF, bytes[offset + 1] != 0xFF else {
                offset += 1
                continue
            }
            let marker = bytes[offset + 1]
            offset += 2
            switch marker {
            case 0x00, 0x01, 0xD0...0xD9: continue
            case 0xDA: return nil
            default: break
            }
            guard let length = big(bytes, at: offset, bytes: 2), length >= 2,
                offset + length <= bytes.count
            else { return nil }
            let content = bytes[offset + 2..<offset + length]
            if marker == 0xE1, content.starts(with: Array("Exif\0".utf8)) { return content }
            offset += length
        }
        return nil
    }

    /// Chunks up to IEND; PNG specification (third edition), section 5.3.
    private static func pngBlock(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        var (offset, block) = (8, ArraySlice<UInt8>?.none)
        while let length = big(bytes, at: offset, bytes: 4), offset + 12 + length <= bytes.count {
            let content = offset + 8..<offset + 8 + length
            switch big(bytes, at: offset + 4, bytes: 4) {
            case fourCC("eXIf"): block = bytes[content]
            case fourCC("IEND"): return block
            default: break
            }
            offset = content.upperBound + 4
        }
        return block
    }

    /// RFC 9649, section 2.7: the EXIF chunk counts when the flag of the first chunk says so.
    private static func webPBlock(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        var (isAnnounced, block) = (false, ArraySlice<UInt8>?.none)
        webPChunks(bytes) { name, content in
            if name == fourCC("VP8X"), let flags = bytes[content].first {
                isAnnounced = flags & 8 != 0
            }
            if name == fourCC("EXIF"), isAnnounced { block = bytes[content] }
            return block == nil
        }
        return block
    }

    /// Calls `body` for each chunk of a RIFF file until it returns false or a chunk is cut off.
    private static func webPChunks(_ bytes: [UInt8], _ body: (Int?, Range<Int>) -> Bool) {
        var offset = 12
        while offset + 8 <= bytes.count {
            let size = bytes[offset + 4..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
            let content = offset + 8..<offset + 8 + size
            guard content.upperBound <= bytes.count, body(big(bytes, at: offset, bytes: 4), content)
            else {
                return
            }
            offset = content.upperBound + size % 2
        }
    }

    private static func big(_ bytes: [UInt8], at offset: Int, bytes count: Int) -> Int? {
        guard offset + count <= bytes.count else { return nil }
        return bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
    }

    /// The name of a chunk as the number that its four bytes are; files may have millions of chunks.
    private static func fourCC(_ name: StaticString) -> Int {
        name.withUTF8Buffer { unsafe $0.reduce(0) { $0 << 8 | Int($1) } }
    }
}
