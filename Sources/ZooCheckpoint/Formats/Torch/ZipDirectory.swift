// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CChecksum
internal import ZooCore
internal import ZooFiles

/// The records of an uncompressed ZIP file, as PyTorch and NumPy write it.
///
/// The records are read from the central directory, and every local header must agree with it, so
/// that programs that trust one or the other cannot see different files. Records are consecutive
/// from the first byte on, without overlap.
///
/// Source of the layout: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
struct ZipDirectory {
    /// A file inside the file.
    struct Record {
        let name: String
        /// The byte range of its content.
        let content: Range<Int>
        let checksum: UInt32
    }

    /// The records, in file order.
    let records: [Record]
    private let recordOfName: [ExactName: Int]
    private let file: MappedFile

    /// The maximum number of entries; an optimizer state has a few for each tensor.
    private static let recordLimit = 1_000_000
    private static let largestDescriptor = 24

    /// Reads the directory of a file.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-malformed`, `checkpoint.zip-compressed` or
    ///   `checkpoint.zip-encrypted`.
    init(_ file: MappedFile) throws(ZooError) {
        self.file = file
        let end = try ZipEnd(file)
        var reader = try ZipReader(file, reading: end.directory)
        var found: [(record: Record, start: Int)] = []
        for _ in 0..<end.count {
            let entry = try ZipEntry(central: &reader, within: end.directory)
            let content = try entry.content(in: file, before: end.directory.lowerBound)
            let record = Record(name: entry.name, content: content, checksum: entry.checksum)
            found.append((record, entry.start))
        }
        guard reader.position == end.directory.upperBound else {
            throw reader.malformed("has a directory whose length differs from the stated length")
        }
        found.sort { $0.start < $1.start }
        var position = 0
        var recordOfName: [ExactName: Int] = [:]
        var folded: Set<String> = []
        for (index, (record, start)) in found.enumerated() {
            // A record may be followed by a data descriptor that repeats its sizes.
            let slack = index == 0 ? 0 : Self.largestDescriptor
            guard start >= position, start - position <= slack else {
                throw reader.malformed("has records that overlap, or bytes between them")
            }
            position = record.content.upperBound
            // PyTorch looks up records case-insensitively.
            guard folded.insert(record.name.lowercased()).inserted else {
                throw reader.malformed("has the record '\(record.name)' twice")
            }
            recordOfName[ExactName(record.name)] = index
        }
        guard end.directory.lowerBound - position <= Self.largestDescriptor else {
            throw reader.malformed("has bytes that belong to no record")
        }
        records = found.map(\.record)
        self.recordOfName = recordOfName
    }

    /// The record with a name, or nil.
    subscript(name: String) -> Record? { recordOfName[ExactName(name)].map { records[$0] } }

    /// Reads the bytes of a record and verifies its checksum.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum`, `checkpoint.pickle-limit` or `io.*`.
    func bytes(of record: Record, limit: Int) throws(ZooError) -> [UInt8] {
        guard record.content.count <= limit else {
            throw ZooError(
                .pickleLimit,
                "'\(record.name)' of '\(file.path)' has \(record.content.count) bytes; the limit is "
                    + "\(limit)",
                remedy: "save the weights alone: torch.save(model.state_dict(), …)"
            )
        }
        let bytes = try file.bytes(record.content)
        guard Self.checksum(unsafe bytes.span.bytes) == record.checksum else {
            throw mismatch(of: record)
        }
        return bytes
    }

    /// Verifies the checksum of a record in constant memory.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum` or `io.*`, or `CancellationError`.
    func requireChecksum(of record: Record, _ cancellation: Cancellation) throws {
        var checksum: UInt32 = 0
        try file.forEachPiece(of: record.content, size: TensorView.chunk, cancellation) { piece in
            checksum = Self.checksum(piece, after: checksum)
        }
        guard checksum == record.checksum else { throw mismatch(of: record) }
    }

    private static func checksum(_ span: RawSpan, after checksum: UInt32 = 0) -> UInt32 {
        unsafe span.withUnsafeBytes { bytes in
            unsafe ami_crc32(
                checksum,
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                bytes.count
            )
        }
    }

    private func mismatch(of record: Record) -> ZooError {
        ZooError(
            .zipChecksum,
            "'\(record.name)' of '\(file.path)' does not have the checksum that the file states",
            remedy: "the file is damaged; download it again"
        )
    }
}

/// A sequential reader of the integers and names in a ZIP file.
struct ZipReader {
    let file: MappedFile
    /// The offset in the file that is read next.
    var position: Int
    private let content: [UInt8]
    /// The offset of `content` in the file.
    private let start: Int

    /// Creates a reader of a range, clamped to the size of the file.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    init(_ file: MappedFile, reading range: Range<Int>) throws(ZooError) {
        self.file = file
        let known = range.clamped(to: 0..<file.byteCount)
        content = try file.bytes(known)
        start = known.lowerBound
        position = range.lowerBound
    }

    mutating func integer(_ count: Int) throws(ZooError) -> Int {
        let number = try bytes(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let integer = Int(exactly: number) else { throw malformed("has an invalid length") }
        return integer
    }

    mutating func bytes(_ count: Int) throws(ZooError) -> ArraySlice<UInt8> {
        let first = position - start
        guard first >= 0, content.count - first >= count else {
            throw malformed("is truncated inside its directory")
        }
        position += count
        return content[first..<first + count]
    }

    func malformed(_ what: String) -> ZooError {
        ZooError(
            .zipMalformed,
            "the ZIP file '\(file.path)' \(what)",
            remedy: "the file is incomplete, damaged or malicious; download it again"
        )
    }
}
