// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How the raw tar stream is stored in an archive.
public enum ArchiveEncoding: String, Sendable, CaseIterable {
    /// Uncompressed: the archive is the tar stream.
    case stored = "none"
    /// Each block is one independent zstd frame (RFC 8878), so `tar --zstd` reads the archive.
    case zstd
}

/// The block table of one archive: the range and digest of each block, raw and encoded.
///
/// Document format `ami-zoo.blocks/1`, `registry/SPEC.md` section 5.
public struct BlockTable: Sendable, Equatable {
    /// One block.
    public struct Block: Sendable, Equatable {
        /// The byte range of the encoded block in the archive.
        public let archiveRange: Range<Int>
        /// The digest of the encoded block.
        public let archiveDigest: ContentDigest
        /// The byte range of the block in the raw stream.
        public let rawRange: Range<Int>
        /// The digest of the raw block.
        public let rawDigest: ContentDigest

        /// Creates a block from its ranges and digests.
        public init(
            archiveRange: Range<Int>,
            archiveDigest: ContentDigest,
            rawRange: Range<Int>,
            rawDigest: ContentDigest
        ) {
            self.archiveRange = archiveRange
            self.archiveDigest = archiveDigest
            self.rawRange = rawRange
            self.rawDigest = rawDigest
        }
    }

    /// The name of the document format.
    public static let format = "ami-zoo.blocks/1"

    /// The encoding of every block.
    public let encoding: ArchiveEncoding
    /// The digest of the whole archive.
    public let archiveDigest: ContentDigest
    /// The blocks, in order and contiguous in both streams.
    public let blocks: [Block]

    /// The length of the archive in bytes.
    public var archiveSize: Int { blocks.last?.archiveRange.upperBound ?? 0 }
    /// The length of the raw stream in bytes.
    public var rawSize: Int { blocks.last?.rawRange.upperBound ?? 0 }

    /// Creates a table of blocks that were just written.
    ///
    /// - Parameters:
    ///   - encoding: the encoding of every block.
    ///   - archiveDigest: the digest of the whole archive.
    ///   - blocks: contiguous from 0 in both streams.
    public init(encoding: ArchiveEncoding, archiveDigest: ContentDigest, blocks: [Block]) {
        self.encoding = encoding
        self.archiveDigest = archiveDigest
        self.blocks = blocks
    }

    /// Reads a stored table.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` code or `release.block-table-invalid`.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        // Nine values per block, doubled to allow for fields that a later version adds.
        let limits = JSONValue.Limits(
            bytes: FormatLimits.blockTable,
            depth: 8,
            values: 18 * FormatLimits.blocks
        )
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        try object.requireFormat(Self.format)
        let encoding = try object.choice("encoding", of: ArchiveEncoding.self)
        let archive = try object.object("archive")
        let archiveSize = try archive.size("size")
        let rawSize = try object.object("raw").size("size")
        var blocks: [Block] = []
        var place = (archive: 0, raw: 0)
        for entry in try object.objects("blocks", maximum: FormatLimits.blocks) {
            let block = try Self.block(entry, at: place)
            guard encoding == .zstd || block.isStored else {
                throw Self.invalid(
                    "block \(blocks.count) of an uncompressed archive differs from its raw form"
                )
            }
            place = (block.archiveRange.upperBound, block.rawRange.upperBound)
            blocks.append(block)
        }
        guard place == (archiveSize, rawSize), !blocks.isEmpty else {
            throw Self.invalid(
                "the blocks cover \(place.archive) archive and \(place.raw) raw bytes, but the "
                    + "table declares \(archiveSize) and \(rawSize)"
            )
        }
        self.init(
            encoding: encoding,
            archiveDigest: try archive.digest("digest"),
            blocks: blocks
        )
    }

    private static func block(
        _ entry: JSONObject,
        at place: (archive: Int, raw: Int)
    ) throws(ZooError) -> Block {
        let archive = try entry.object("archive")
        let raw = try entry.object("raw")
        let archiveOffset = try archive.size("offset")
        let rawOffset = try raw.size("offset")
        guard archiveOffset == place.archive, rawOffset == place.raw else {
            throw invalid("\(entry.path) does not start at the end of the previous block")
        }
        let archiveLength = try archive.integer("length", in: 1...FormatLimits.encodedBlock)
        let rawLength = try raw.integer("length", in: 1...FormatLimits.block)
        return Block(
            archiveRange: archiveOffset..<archiveOffset + archiveLength,
            archiveDigest: try archive.digest("digest"),
            rawRange: rawOffset..<rawOffset + rawLength,
            rawDigest: try raw.digest("digest")
        )
    }

    private static func invalid(_ what: String) -> ZooError {
        ZooError(
            .blockTableInvalid,
            "the block table is inconsistent: \(what)",
            remedy: "do not use this release; tell its publisher"
        )
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        func part(_ range: Range<Int>, _ digest: ContentDigest) -> JSONValue {
            [
                "offset": .integer(range.lowerBound), "length": .integer(range.count),
                "digest": .string(digest.description),
            ]
        }
        let document: JSONValue = [
            "format": .string(Self.format),
            "encoding": .string(encoding.rawValue),
            "archive": [
                "size": .integer(archiveSize), "digest": .string(archiveDigest.description),
            ],
            "raw": ["size": .integer(rawSize)],
            "blocks": .array(
                blocks.map { block in
                    [
                        "archive": part(block.archiveRange, block.archiveDigest),
                        "raw": part(block.rawRange, block.rawDigest),
                    ]
                }
            ),
        ]
        return document.canonicalBytes
    }
}

extension BlockTable.Block {
    /// Whether the raw and the encoded block are the same bytes.
    var isStored: Bool { archiveRange == rawRange && archiveDigest == rawDigest }
}
