// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The end record of a ZIP file: the number of entries and the location of the directory.
struct ZipEnd {
    let count: Int
    let directory: Range<Int>

    /// The maximum size of a directory in bytes; it takes a few hundred bytes for each record.
    private static let largestDirectory = 256 << 20
    private static let signature = 0x0605_4B50
    private static let size = 22
    private static let largeSignature = 0x0606_4B50
    private static let largeSize = 56
    private static let locatorSignature = 0x0706_4B50
    private static let locatorSize = 20

    /// Reads the end record.
    ///
    /// A comment after it is rejected, because programs may find different end records in it.
    init(_ file: MappedFile) throws(ZooError) {
        let start = file.byteCount - Self.size
        var reader = try ZipReader(file, reading: max(start, 0)..<file.byteCount)
        guard start >= 0, try reader.integer(4) == Self.signature else {
            throw reader.malformed("does not end with a ZIP directory")
        }
        let disks = [try reader.integer(2), try reader.integer(2)]
        var counts = [try reader.integer(2), try reader.integer(2)]
        var length = try reader.integer(4)
        var offset = try reader.integer(4)
        guard try reader.integer(2) == 0 else { throw reader.malformed("has a comment") }
        var end = start
        let isLarge = counts.contains(0xFFFF) || length == 0xFFFF_FFFF || offset == 0xFFFF_FFFF
        let hasLocator = try Self.hasLocator(file, before: start)
        if isLarge || hasLocator {
            end = start - Self.locatorSize - Self.largeSize
            var reader = try ZipReader(file, reading: max(end, 0)..<file.byteCount)
            guard end >= 0, try reader.integer(4) == Self.largeSignature,
                try reader.integer(8) == Self.largeSize - 12
            else { throw reader.malformed("lacks the ZIP64 end record that its locator names") }
            reader.position += 4
            guard try reader.integer(4) == 0, try reader.integer(4) == 0 else {
                throw reader.malformed("is split over several disks")
            }
            let large = [try reader.integer(8), try reader.integer(8)]
            let largeLength = try reader.integer(8)
            let largeOffset = try reader.integer(8)
            guard try reader.integer(4) == Self.locatorSignature, try reader.integer(4) == 0,
                try reader.integer(8) == end, try reader.integer(4) == 1
            else { throw reader.malformed("has two end records that disagree") }
            for (small, large) in zip(counts, large) where small != 0xFFFF && small != large {
                throw reader.malformed("has two end records that disagree")
            }
            guard length == 0xFFFF_FFFF || length == largeLength,
                offset == 0xFFFF_FFFF || offset == largeOffset
            else { throw reader.malformed("has two end records that disagree") }
            (counts, length, offset) = (large, largeLength, largeOffset)
        }
        guard disks == [0, 0], counts[0] == counts[1] else {
            throw reader.malformed("is split over several disks")
        }
        guard offset <= end, length == end - offset, length <= Self.largestDirectory else {
            throw reader.malformed("has a directory outside its bounds")
        }
        // An entry takes at least 46 bytes, so the length of the directory bounds the count.
        guard counts[0] <= length / 46 else {
            throw reader.malformed("claims more entries than its directory holds")
        }
        count = counts[0]
        directory = offset..<end
    }

    private static func hasLocator(
        _ file: MappedFile,
        before end: Int
    ) throws(ZooError) -> Bool {
        guard end >= locatorSize else { return false }
        var reader = try ZipReader(file, reading: end - locatorSize..<file.byteCount)
        return try reader.integer(4) == locatorSignature
    }
}

/// One entry of a ZIP directory.
struct ZipEntry {
    let name: String
    let checksum: UInt32
    /// The offset of its local header.
    let start: Int
    private let flags: Int
    private let size: Int

    private static let centralSignature = 0x0201_4B50
    private static let localSignature = 0x0403_4B50
    private static let large = 0xFFFF_FFFF
    private static let encrypted = 1
    private static let descriptor = 1 << 3
    private static let utf8 = 1 << 11

    /// Reads an entry of the central directory.
    init(central reader: inout ZipReader, within directory: Range<Int>) throws(ZooError) {
        guard try reader.integer(4) == Self.centralSignature else {
            throw reader.malformed("has a directory with an invalid entry")
        }
        reader.position += 4
        flags = try reader.integer(2)
        let method = try reader.integer(2)
        reader.position += 4
        checksum = UInt32(truncatingIfNeeded: try reader.integer(4))
        var sizes = [try reader.integer(4), try reader.integer(4)]
        let lengths = [try reader.integer(2), try reader.integer(2), try reader.integer(2)]
        let disk = try reader.integer(2)
        reader.position += 6
        var start = try reader.integer(4)
        let name = try reader.bytes(lengths[0])
        var extra = ZipExtra(try reader.bytes(lengths[1]))
        reader.position += lengths[2]
        guard reader.position <= directory.upperBound, disk == 0 else {
            throw reader.malformed("has an entry outside its directory")
        }
        // The extra field has uncompressed size, compressed size and offset, if they do not fit.
        for index in [1, 0] where sizes[index] == Self.large {
            sizes[index] = try extra.next(reader)
        }
        if start == Self.large { start = try extra.next(reader) }
        self.name = try Self.text(name, reader)
        self.start = start
        guard flags & Self.encrypted == 0 else {
            throw ZooError(
                .zipEncrypted,
                "'\(self.name)' of '\(reader.file.path)' is encrypted",
                remedy: "decrypt it with the program that made it"
            )
        }
        guard method == 0 else {
            throw ZooError(
                .zipCompressed,
                "'\(self.name)' of '\(reader.file.path)' is compressed, which is not supported",
                remedy: "save it again with torch.save or numpy.savez"
            )
        }
        guard flags & ~(Self.descriptor | Self.utf8) == 0, sizes[0] == sizes[1] else {
            throw reader.malformed("has an entry '\(self.name)' of an unsupported kind")
        }
        size = sizes[0]
    }

    /// The byte range of the content; the local header must agree with the directory.
    func content(in file: MappedFile, before end: Int) throws(ZooError) -> Range<Int> {
        // Names and extra fields take at most 128 KiB, and rarely more than 100 bytes.
        let fixed = 30
        var reader = try ZipReader(file, reading: max(start, 0)..<max(start, 0) + fixed)
        let disagreement = reader.malformed("has a conflicting local header for '\(name)'")
        guard start >= 0, start < end, try reader.integer(4) == Self.localSignature else {
            throw disagreement
        }
        reader.position += 2
        let (localFlags, method) = (try reader.integer(2), try reader.integer(2))
        reader.position += 4
        let localChecksum = try reader.integer(4)
        var sizes = [try reader.integer(4), try reader.integer(4)]
        let (nameLength, extraLength) = (try reader.integer(2), try reader.integer(2))
        let rest = reader.position..<reader.position + nameLength + extraLength
        reader = try ZipReader(file, reading: rest)
        guard try reader.bytes(nameLength) == ArraySlice(name.utf8) else { throw disagreement }
        var extra = ZipExtra(try reader.bytes(extraLength))
        for index in [1, 0] where sizes[index] == Self.large {
            sizes[index] = try extra.next(reader)
        }
        // If a data descriptor follows the bytes, the fields of the header may be empty.
        let mayBeEmpty = flags & Self.descriptor != 0
        let sizesAgree = sizes.allSatisfy { $0 == size || mayBeEmpty && $0 == 0 }
        let checksumAgrees = localChecksum == Int(checksum) || mayBeEmpty && localChecksum == 0
        guard localFlags == flags, method == 0, sizesAgree, checksumAgrees else {
            throw disagreement
        }
        guard reader.position <= end, size <= end - reader.position else {
            throw reader.malformed("has a record '\(name)' that extends past its end")
        }
        return reader.position..<reader.position + size
    }

    private static func text(_ bytes: ArraySlice<UInt8>, _ reader: ZipReader) throws(ZooError)
        -> String
    {
        guard let name = String(validating: bytes, as: UTF8.self), !name.isEmpty,
            !bytes.contains(0), !name.contains("\\"),
            name.split(separator: "/", omittingEmptySubsequences: false)
                .allSatisfy({ $0 != "" && $0 != "." && $0 != ".." })
        else { throw reader.malformed("has a record with an unsafe name") }
        return name
    }
}

/// The 64-bit fields of an entry (extra field 1, ZIP64).
struct ZipExtra {
    private var numbers: [Int] = []

    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while rest.count >= 4 {
            let kind = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
            let length = Int(rest[rest.startIndex + 2]) | Int(rest[rest.startIndex + 3]) << 8
            rest = rest.dropFirst(4)
            let content = rest.prefix(length)
            if kind == 1, content.count == length {
                numbers = stride(from: 0, through: length - 8, by: 8).map { offset in
                    content.dropFirst(offset).prefix(8).reversed().reduce(0) {
                        $0 << 8 | Int($1)
                    }
                }
            }
            rest = rest.dropFirst(length)
        }
    }

    mutating func next(_ reader: ZipReader) throws(ZooError) -> Int {
        guard let number = numbers.first, number >= 0 else {
            throw reader.malformed("lacks the size of a record")
        }
        numbers.removeFirst()
        return number
    }
}
