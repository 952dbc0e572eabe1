// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The Orientation tag of an EXIF block, which is a TIFF structure.
///
/// Read as Pillow reads it (`TiffImagePlugin.ImageFileDirectory_v2.load`), whatever the block holds:
/// only the first directory, whose last Orientation counts; a value outside the block ends the
/// reading; tags of unknown type are skipped. Where Pillow raises an exception because the block does
/// not begin like a TIFF structure, the block says nothing here.
///
/// This is Pillow 9.4; Pillow 13 differs for repeated tags and for tags after a value outside the block.
struct EXIFBlock {
    private let bytes: ArraySlice<UInt8>
    private let isBigEndian: Bool

    private static let prefix = Array("Exif\0\0".utf8)
    private static let orientationTag = 0x0112
    /// Bytes of a value by type; TIFF 6.0, section 2, with IFD and LONG8 of later supplements.
    private static let valueSizes = [
        1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8,
    ]

    /// - Parameter bytes: the block, with or without the prefix that JPEG puts before it.
    init?(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes.starts(with: Self.prefix) ? bytes.dropFirst(Self.prefix.count) : bytes
        switch Array(self.bytes.prefix(4)) {
        // The second of each pair is wrong, and occurs.
        case [0x4D, 0x4D, 0x00, 0x2A], [0x4D, 0x4D, 0x2A, 0x00]: isBigEndian = true
        case [0x49, 0x49, 0x2A, 0x00], [0x49, 0x49, 0x00, 0x2A]: isBigEndian = false
        default: return nil
        }
    }

    /// The orientation; nil when the block states none, or a value that is not one of the eight.
    var orientation: EXIFOrientation? {
        guard let directory = unsigned(at: 4, bytes: 4),
            let count = unsigned(at: directory, bytes: 2)
        else { return nil }
        var found: Int?
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let tag = unsigned(at: entry, bytes: 2),
                let type = unsigned(at: entry + 2, bytes: 2),
                let values = unsigned(at: entry + 4, bytes: 4),
                let pointer = unsigned(at: entry + 8, bytes: 4)
            else { break }
            guard let valueSize = Self.valueSizes[type], values > 0 else { continue }
            let place = values * valueSize > 4 ? pointer : entry + 8
            guard place + values * valueSize <= bytes.count else { break }
            if tag == Self.orientationTag { found = number(of: type, at: place) }
        }
        return found.flatMap { EXIFOrientation(rawValue: $0) }
    }

    /// The first value of a tag, if it is a whole number that may be an orientation.
    private func number(of type: Int, at place: Int) -> Int? {
        switch type {
        case 3, 8: unsigned(at: place, bytes: 2)
        case 4, 9, 13: unsigned(at: place, bytes: 4)
        case 6: unsigned(at: place, bytes: 1)
        case 16: unsigned(at: place, bytes: 8)
        case 5, 10: quotient(at: place, isSigned: type == 10)
        case 11:
            unsigned(at: place, bytes: 4).flatMap {
                Int(exactly: Float(bitPattern: UInt32(truncatingIfNeeded: $0)))
            }
        case 12:
            unsigned(at: place, bytes: 8).flatMap {
                Int(exactly: Double(bitPattern: UInt64(bitPattern: Int64($0))))
            }
        // Bytes and texts are no numbers to Pillow.
        default: nil
        }
    }

    private func quotient(at place: Int, isSigned: Bool) -> Int? {
        guard var numerator = unsigned(at: place, bytes: 4),
            var denominator = unsigned(at: place + 4, bytes: 4)
        else { return nil }
        if isSigned {
            numerator = Int(Int32(truncatingIfNeeded: numerator))
            denominator = Int(Int32(truncatingIfNeeded: denominator))
        }
        guard denominator != 0, numerator.isMultiple(of: denominator) else { return nil }
        return numerator / denominator
    }

    /// A number at an offset, as the bits of an `Int`; nil when the block ends before it does.
    private func unsigned(at offset: Int, bytes count: Int) -> Int? {
        guard offset <= bytes.count - count else { return nil }
        let start = bytes.startIndex + offset
        let field = bytes[start..<start + count]
        let bits = (isBigEndian ? Array(field) : field.reversed()).reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        return Int(truncatingIfNeeded: bits)
    }
}
