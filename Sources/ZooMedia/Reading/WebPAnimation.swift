// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The first frame of an animated WebP file as a still one, since FFmpeg decodes no animations.
///
/// Source: RFC 9649, sections 2.5 to 2.7.
enum WebPAnimation {
    /// The still file, or nil when the file is not an animation.
    ///
    /// - Throws: ``ZooError`` with code `media.unsupported` when the first frame is only a part of the
    ///   picture, `media.damaged` when the file breaks off.
    static func firstFrame(of bytes: [UInt8], path: String) throws(ZooError) -> [UInt8]? {
        guard bytes.count >= 30, name(bytes, 12) == "VP8X", bytes[20] & 2 != 0 else { return nil }
        guard let frame = chunks(bytes, 12..<bytes.count).first(where: { $0.name == "ANMF" }),
            frame.content.count >= 16
        else {
            throw damaged(path)
        }
        let start = frame.content.lowerBound
        let covers =
            bytes[start..<start + 6].allSatisfy { $0 == 0 }
            && bytes[start + 6..<start + 12] == bytes[24..<30]
        guard covers else {
            throw ZooError(
                .mediaUnsupported,
                "'\(path)' is not read: the first frame of the animation is a part of the picture",
                remedy: "convert the frame to PNG"
            )
        }
        let inside = chunks(bytes, start + 16..<frame.content.upperBound)
        // Transparency is a chunk of its own beside VP8, and would be dropped in any case.
        guard let image = inside.first(where: { $0.name == "VP8 " || $0.name == "VP8L" }) else {
            throw damaged(path)
        }
        let content = bytes[image.content] + (image.content.count % 2 == 1 ? [0] : [])
        return Array("RIFF".utf8) + little(content.count + 12) + Array("WEBP".utf8)
            + Array(image.name.utf8) + little(image.content.count) + content
    }

    /// Chunks that lie one after the other, up to the first that goes beyond the range.
    private static func chunks(
        _ bytes: [UInt8],
        _ range: Range<Int>
    ) -> [(name: String, content: Range<Int>)] {
        var found: [(name: String, content: Range<Int>)] = []
        var offset = range.lowerBound
        while offset <= range.upperBound - 8 {
            let size = bytes[offset + 4..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
            guard size <= range.upperBound - offset - 8 else { break }
            found.append((name(bytes, offset), offset + 8..<offset + 8 + size))
            offset += 8 + size + size % 2
        }
        return found
    }

    private static func name(_ bytes: [UInt8], _ offset: Int) -> String {
        String(decoding: bytes[offset..<offset + 4], as: UTF8.self)
    }

    private static func little(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func damaged(_ path: String) -> ZooError {
        ZooError(
            .mediaDamaged,
            "'\(path)' is damaged: the animation has no first frame",
            remedy: "get the file again; it may be truncated"
        )
    }
}
