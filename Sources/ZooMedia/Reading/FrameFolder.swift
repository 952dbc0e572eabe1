// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The image files of a folder, as the frames of a video.
package enum FrameFolder {
    /// Paths of the folder's image files in natural order: `frame2` before `frame10`.
    ///
    /// Hidden files are skipped. Every other file must be an image.
    static func paths(in folder: String, limits: MediaLimits) throws(ZooError) -> [String] {
        let names = try FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }
        guard !names.isEmpty else {
            throw ZooError(
                .mediaNoFrames,
                "the folder '\(folder)' is empty",
                remedy: "put the frames into it as PNG, JPEG or WebP files"
            )
        }
        guard names.count <= limits.frames else {
            throw ZooError(
                .mediaTooLarge,
                "the folder '\(folder)' holds \(names.count) files; the limit is \(limits.frames)"
            )
        }
        return names.sorted(by: isOrdered).map { "\(folder)/\($0)" }
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
