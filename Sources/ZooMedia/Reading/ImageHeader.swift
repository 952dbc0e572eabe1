// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// What the first bytes of an image file promise, read without decoding, so that an absurd size is
/// refused before memory is taken, and a file that ends early is noticed.
struct ImageHeader: Equatable {
    let width: Int
    let height: Int

    /// Reads the header of a file and checks that the file goes on to its end marker.
    init(_ format: ImageFormat, _ bytes: [UInt8], path: String) throws(ZooError) {
        let reader = HeaderReader(bytes: bytes, path: path)
        self =
            switch format {
            case .png: try Self.png(reader)
            case .jpeg: try Self.jpeg(reader)
            case .webP: try Self.webP(reader)
            }
        guard width > 0 && height > 0 else {
            throw reader.damaged("its size is \(width) x \(height)")
        }
    }

    private init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Chunks from IHDR to IEND; W3C Portable Network Graphics, section 5.
    private static func png(_ reader: HeaderReader) throws(ZooError) -> ImageHeader {
        guard try reader.name(at: 12) == "IHDR" else { throw reader.damaged("IHDR is missing") }
        let header = ImageHeader(
            width: try reader.big(at: 16, bytes: 4),
            height: try reader.big(at: 20, bytes: 4)
        )
        let depth = try reader.big(at: 24, bytes: 1)
        if depth == 16, try reader.big(at: 25, bytes: 1) & 2 == 0 {
            throw reader.unsupported("it is greyscale of 16 bits, which has no agreed 8-bit form")
        }
        var offset = 8
        while try reader.name(at: offset + 4) != "IEND" {
            // Length, name, content, checksum.
            offset += try reader.big(at: offset, bytes: 4) + 12
        }
        return header
    }

    /// Segments up to the frame header, then the end marker; ITU-T T.81, annex B.
    private static func jpeg(_ reader: HeaderReader) throws(ZooError) -> ImageHeader {
        var offset = 2
        while true {
            guard try reader.big(at: offset, bytes: 1) == 0xFF else {
                throw reader.damaged("a marker is missing at byte \(offset)")
            }
            let marker = try reader.big(at: offset + 1, bytes: 1)
            if marker == 0xFF {
                offset += 1
                continue
            }
            if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) { break }
            guard ![0xD8, 0xD9, 0xDA].contains(marker) else {
                throw reader.damaged("it has no frame header")
            }
            // Markers without content stand alone.
            let standsAlone = marker == 0x01 || (0xD0...0xD7).contains(marker)
            offset += standsAlone ? 2 : 2 + (try reader.big(at: offset + 2, bytes: 2))
        }
        guard try reader.big(at: offset + 4, bytes: 1) == 8 else {
            throw reader.unsupported("its samples do not have 8 bits")
        }
        guard try [1, 3].contains(reader.big(at: offset + 9, bytes: 1)) else {
            throw reader.unsupported("it is neither grey nor of three colours")
        }
        guard reader.hasEndMarker(after: offset) else {
            throw reader.damaged("it ends before its end marker")
        }
        return ImageHeader(
            width: try reader.big(at: offset + 7, bytes: 2),
            height: try reader.big(at: offset + 5, bytes: 2)
        )
    }

    /// The first chunk of RIFF; RFC 9649, section 2.
    private static func webP(_ reader: HeaderReader) throws(ZooError) -> ImageHeader {
        guard try reader.little(at: 4, bytes: 4) <= reader.bytes.count - 8 else {
            throw reader.damaged("it is shorter than its header says")
        }
        switch try reader.name(at: 12) {
        case "VP8 ":
            return ImageHeader(
                width: try reader.little(at: 26, bytes: 2) & 0x3FFF,
                height: try reader.little(at: 28, bytes: 2) & 0x3FFF
            )
        case "VP8L":
            let bits = try reader.little(at: 21, bytes: 4)
            return ImageHeader(width: bits & 0x3FFF + 1, height: bits >> 14 & 0x3FFF + 1)
        case "VP8X":
            return ImageHeader(
                width: try reader.little(at: 24, bytes: 3) + 1,
                height: try reader.little(at: 27, bytes: 3) + 1
            )
        default: throw reader.damaged("its first chunk is of an unknown kind")
        }
    }
}

/// Numbers at offsets of a file in memory; asking beyond its end is an error that names the file.
private struct HeaderReader {
    let bytes: [UInt8]
    let path: String

    func big(at offset: Int, bytes count: Int) throws(ZooError) -> Int {
        try field(offset, count).reduce(0) { $0 << 8 | Int($1) }
    }

    func little(at offset: Int, bytes count: Int) throws(ZooError) -> Int {
        try field(offset, count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func name(at offset: Int) throws(ZooError) -> String {
        String(decoding: try field(offset, 4), as: UTF8.self)
    }

    /// Whether FF D9 comes after `offset`.
    func hasEndMarker(after offset: Int) -> Bool {
        var index = bytes.count - 2
        while index > offset {
            if bytes[index] == 0xFF && bytes[index + 1] == 0xD9 { return true }
            index -= 1
        }
        return false
    }

    func damaged(_ reason: String) -> ZooError {
        ZooError(
            .mediaDamaged,
            "'\(path)' is damaged: \(reason)",
            remedy: "get the file again; it may be truncated"
        )
    }

    func unsupported(_ reason: String) -> ZooError {
        ZooError(
            .mediaUnsupported,
            "'\(path)' is not read: \(reason)",
            remedy: "convert the image to 8-bit RGB"
        )
    }

    private func field(_ offset: Int, _ count: Int) throws(ZooError) -> ArraySlice<UInt8> {
        guard offset >= 0, offset <= bytes.count - count else {
            throw damaged("it ends at byte \(bytes.count), before its time")
        }
        return bytes[offset..<offset + count]
    }
}
