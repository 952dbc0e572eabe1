// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// Whether a video file goes on as far as its container says.
///
/// Demuxers read a truncated file up to where it breaks off and report fewer frames, which nobody
/// would notice. Containers without a length (MPEG streams, live Matroska) are not checked.
enum ContainerExtent {
    /// Boxes of a file that are looked at.
    private static let boxLimit = 100_000

    /// - Throws: ``ZooError`` with code `media.damaged` when the file ends too early.
    static func check(_ file: OpenFile) throws(ZooError) {
        let size = try file.status().size
        let start = try file.bytes(0..<min(size, 64))
        guard start.count >= 12 else { return }
        let end: Int?
        if start.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
            end = segmentEnd(start)
        } else if start.starts(with: Array("RIFF".utf8)) {
            end = 8 + start[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        } else if start[4..<8].elementsEqual("ftyp".utf8) {
            end = try lastBoxEnd(file, size)
        } else {
            end = nil
        }
        guard let end, end > size else { return }
        throw ZooError(
            .mediaDamaged,
            "'\(file.path)' ends after \(size) bytes; its container goes on to byte \(end)",
            remedy: "get the file again; it is truncated"
        )
    }

    /// The first end beyond the file, or that of the last box; ISO/IEC 14496-12, section 4.2.
    private static func lastBoxEnd(_ file: OpenFile, _ size: Int) throws(ZooError) -> Int {
        var offset = 0
        for _ in 0..<boxLimit where offset < size {
            guard offset <= size - 8 else { return offset + 8 }
            let header = try file.bytes(offset..<min(offset + 16, size))
            var length = header[0..<4].reduce(0) { $0 << 8 | Int($1) }
            // 0: to the end of the file; 1: the length follows in 64 bits.
            if length == 0 { return size }
            if length == 1 {
                guard header.count == 16 else { return offset + 16 }
                let long = header[8..<16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                length = Int(clamping: long)
            }
            // Not a box: what follows is something else that demuxers pass over.
            guard length >= 8 else { return size }
            let (end, overflow) = offset.addingReportingOverflow(length)
            offset = overflow ? Int.max : end
        }
        return offset
    }

    /// Where the Segment ends, if it says; RFC 8794, section 4, and RFC 9559, section 4.5.
    private static func segmentEnd(_ bytes: [UInt8]) -> Int? {
        guard let header = length(bytes, at: 4), header.value <= bytes.count else { return nil }
        let segment = header.end + header.value
        guard segment + 4 <= bytes.count,
            bytes[segment..<segment + 4].elementsEqual([0x18, 0x53, 0x80, 0x67]),
            let content = length(bytes, at: segment + 4)
        else { return nil }
        return content.value == .max ? nil : content.end + content.value
    }

    /// A variable-size integer; all ones mean that the length is not known.
    private static func length(_ bytes: [UInt8], at offset: Int) -> (value: Int, end: Int)? {
        guard offset < bytes.count else { return nil }
        let count = bytes[offset].leadingZeroBitCount + 1
        guard count <= 8, offset + count <= bytes.count else { return nil }
        let mask = count == 8 ? 0 : Int(bytes[offset]) & (0xFF >> count)
        let value = bytes[offset + 1..<offset + count].reduce(mask) { $0 << 8 | Int($1) }
        let unknown = 1 << (7 * count) - 1
        return (value == unknown ? .max : value, offset + count)
    }
}
