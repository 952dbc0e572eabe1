// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The pictures of a folder, which are the frames of a video, and what else it holds.
package struct FrameFolder: Sendable {
    /// Paths of the pictures in natural order: `frame2` before `frame10`.
    package let frames: [String]
    /// Names of files and folders that are no pictures, in natural order; without hidden ones.
    package let strays: [String]

    /// Endings of picture files.
    ///
    /// A file with one of them counts as a frame whatever it holds, so that a damaged frame, or one
    /// of a format that is not read, is an error and not a gap.
    private static let endings: Set<String> = [
        "png", "jpg", "jpeg", "webp", "avif", "bmp", "gif", "heic", "heif", "jp2", "jxl", "ppm",
        "tif", "tiff",
    ]

    /// Lists a folder; hidden files are skipped.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - limits: what may be read.
    ///   - ending: the ending of further files that count as frames, such as `safetensors`.
    /// - Throws: ``ZooError`` with code `media.no-frames`, `media.too-large` or `io.*`.
    package init(
        _ folder: String,
        limits: MediaLimits = MediaLimits(),
        also ending: String? = nil
    ) throws(ZooError) {
        let names = try FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }
        guard names.count <= limits.frames else {
            throw ZooError(
                .mediaTooLarge,
                "the folder '\(folder)' holds \(names.count) files; the limit is \(limits.frames)"
            )
        }
        var (frames, strays): ([String], [String]) = ([], [])
        for name in names.sorted(by: Self.isOrdered) {
            if try Self.isFrame("\(folder)/\(name)", Self.endings.union(ending.map { [$0] } ?? []))
            {
                frames.append("\(folder)/\(name)")
            } else {
                strays.append(name)
            }
        }
        guard !frames.isEmpty else {
            throw ZooError(
                .mediaNoFrames,
                strays.isEmpty
                    ? "the folder '\(folder)' is empty"
                    : "the folder '\(folder)' holds no pictures, only \(Self.list(strays))",
                remedy: strays.isEmpty
                    ? "put the frames into it as PNG, JPEG or WebP files"
                    : "pass its videos as files, one by one, or a folder of PNG, JPEG or WebP files"
            )
        }
        (self.frames, self.strays) = (frames, strays)
    }

    private static func isFrame(
        _ path: String,
        _ endings: Set<String>
    ) throws(ZooError) -> Bool {
        guard try FileSystem.followedStatus(path).kind == .file else { return false }
        let parts = FileSystem.name(of: path).lowercased().split(separator: ".")
        if parts.count > 1, let ending = parts.last, endings.contains(String(ending)) {
            return true
        }
        let file = try OpenFile(path, .readFollowing)
        return ImageFormat(signature: try file.bytes(0..<min(file.status().size, 16))) != nil
    }

    /// Some names for a message.
    package static func list(_ names: [String]) -> String {
        let shown = names.prefix(3).map { "'\($0.prefix(80))'" }.joined(separator: ", ")
        return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
    }

    /// Whether one name comes before another: runs of digits compare as numbers, the rest by byte.
    package static func isOrdered(_ left: String, _ right: String) -> Bool {
        let first = parts(of: left)
        let second = parts(of: right)
        for (one, other) in zip(first, second) where one != other { return one < other }
        // Equal but for leading zeros, or one begins the other.
        return first.count == second.count ? left < right : first.count < second.count
    }

    private static func parts(of name: String) -> [NamePart] {
        var parts: [NamePart] = []
        for byte in name.utf8 {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            if isDigit, case .number(let digits)? = parts.last {
                // Without leading zeros, the longer number is the larger.
                parts[parts.count - 1] = .number(
                    digits == [UInt8(ascii: "0")] ? [byte] : digits + [byte]
                )
            } else {
                parts.append(isDigit ? .number([byte]) : .other(byte))
            }
        }
        return parts
    }
}

private enum NamePart: Comparable {
    case number([UInt8])
    case other(UInt8)

    static func < (left: NamePart, right: NamePart) -> Bool {
        switch (left, right) {
        case (.number(let one), .number(let other)):
            one.count == other.count
                ? one.lexicographicallyPrecedes(other) : one.count < other.count
        case (.other(let one), .other(let other)): one < other
        case (.number, .other(let byte)): UInt8(ascii: "0") < byte
        case (.other(let byte), .number): byte < UInt8(ascii: "0")
        }
    }
}
