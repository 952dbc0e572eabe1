// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CChecksum
internal import ZooCore
internal import ZooFiles

/// The records of a ZIP file whose bytes are stored as they are, as PyTorch and NumPy write it.
///
/// The central directory says what there is, and every local header must agree with it: programs
/// that trust one or the other must not see different files. Records follow each other from the
/// first byte on, without overlap.
///
/// Source of the layout: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
struct ZipDirectory {
    /// A file inside the file.
    struct Record {
        let name: String
        /// Its bytes.
        let content: Range<Int>
        let checksum: UInt32
    }

    /// The records, in the order of their bytes.
    let records: [Record]
    private let recordOfName: [String: Int]
    private let file: MappedFile

    /// Entries of a directory; an optimiser keeps a few per tensor.
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
            throw reader.malformed("has a directory of another length than it says")
        }
        found.sort { $0.start < $1.start }
        var position = 0
        var recordOfName: [String: Int] = [:]
        var folded: Set<String> = []
        for (index, (record, start)) in found.enumerated() {
            // After a record there may be a descriptor that repeats its sizes.
            let slack = index == 0 ? 0 : Self.largestDescriptor
            guard start >= position, start - position <= slack else {
                throw reader.malformed("has records that overlap, or bytes between them")
            }
            position = record.content.upperBound
            // PyTorch looks records up without regard to case.
            guard folded.insert(record.name.lowercased()).inserted else {
                throw reader.malformed("has the record '\(record.name)' twice")
            }
            recordOfName[record.name] = index
        }
        guard end.directory.lowerBound - position <= Self.largestDescriptor else {
            throw reader.malformed("has bytes that belong to no record")
        }
        records = found.map(\.record)
        self.recordOfName = recordOfName
    }

    /// The record with a name, or nil.
    subscript(name: String) -> Record? { recordOfName[name].map { records[$0] } }

    /// The bytes of a record, checked against its checksum.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum`, `checkpoint.pickle-limit` or `io.*`.
    func bytes(of record: Record, limit: Int) throws(ZooError) -> [UInt8] {
        guard record.content.count <= limit else {
            throw ZooError(
                .pickleLimit,
                "'\(record.name)' of '\(file.path)' has \(record.content.count) bytes, and at most "
                    + "\(limit) are read",
                remedy: "save the weights alone: torch.save(model.state_dict(), …)"
            )
        }
        let bytes = try file.bytes(record.content)
        guard Self.checksum(unsafe bytes.span.bytes) == record.checksum else {
            throw mismatch(of: record)
        }
        return bytes
    }

    /// Checks the bytes of a record, in little memory.
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
            remedy: "the file is damaged; fetch it again"
        )
    }
}

/// Numbers and names of a ZIP file, taken from the front.
struct ZipReader {
    let file: MappedFile
    /// The place in the file that is read next.
    var position: Int
    private let content: [UInt8]
    /// Where `content` begins in the file.
    private let start: Int

    /// A reader of part of a file, which is clamped to what there is.
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
        guard let integer = Int(exactly: number) else { throw malformed("has an absurd length") }
        return integer
    }

    mutating func bytes(_ count: Int) throws(ZooError) -> ArraySlice<UInt8> {
        let first = position - start
        guard first >= 0, content.count - first >= count else {
            throw malformed("ends inside its directory")
        }
        position += count
        return content[first..<first + count]
    }

    func malformed(_ what: String) -> ZooError {
        ZooError(
            .zipMalformed,
            "the ZIP file '\(file.path)' \(what)",
            remedy: "the file is incomplete, damaged or made to mislead; fetch it again"
        )
    }
}
