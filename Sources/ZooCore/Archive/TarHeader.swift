// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The tar header that precedes a file's content in a release archive.
enum TarHeader {
    private static let largestOctalSize = 1 << 33
    private static let longestName = 100

    private static func needsExtension(path: ReleasePath, size: Int) -> Bool {
        path.text.utf8.count > longestName || size >= largestOctalSize
    }

    /// The number of bytes that ``bytes(path:size:)`` returns.
    static func length(path: ReleasePath, size: Int) -> Int {
        guard needsExtension(path: path, size: size) else { return ArchiveLayout.sector }
        let records = extendedRecords(path: path, size: size)
        return 2 * ArchiveLayout.sector + ArchiveLayout.padded(records.count)
    }

    /// The header of a regular file: mode 0644, uid, gid and mtime 0, no user or group name.
    static func bytes(path: ReleasePath, size: Int) -> [UInt8] {
        guard needsExtension(path: path, size: size) else {
            return sector(name: Array(path.text.utf8), size: size, type: UInt8(ascii: "0"))
        }
        let records = extendedRecords(path: path, size: size)
        let padding = ArchiveLayout.padded(records.count) - records.count
        let shortName = Array(path.text.utf8.prefix(longestName))
        return sector(name: Array("pax".utf8), size: records.count, type: UInt8(ascii: "x"))
            + records + [UInt8](repeating: 0, count: padding)
            + sector(
                name: shortName,
                size: size < largestOctalSize ? size : 0,
                type: UInt8(ascii: "0")
            )
    }

    /// The pax records `<length> <key>=<value>\n`; the length includes its own digits.
    private static func extendedRecords(path: ReleasePath, size: Int) -> [UInt8] {
        var text = ""
        if path.text.utf8.count > longestName { text += record("path", path.text) }
        if size >= largestOctalSize { text += record("size", String(size)) }
        return Array(text.utf8)
    }

    private static func record(_ key: String, _ value: String) -> String {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while length != rest.utf8.count + String(length).utf8.count {
            length = rest.utf8.count + String(length).utf8.count
        }
        return "\(length)\(rest)"
    }

    private static func sector(name: [UInt8], size: Int, type: UInt8) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ArchiveLayout.sector)
        func put(_ text: [UInt8], at offset: Int) {
            bytes.replaceSubrange(offset..<offset + text.count, with: text)
        }
        func octal(_ value: Int, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8)
        }
        put(name, at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        bytes[156] = type
        put(Array("ustar".utf8), at: 257)
        put(Array("00".utf8), at: 263)
        // The checksum is computed with its own field filled with spaces.
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        let sum = bytes.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + [0], at: 148)
        return bytes
    }
}
