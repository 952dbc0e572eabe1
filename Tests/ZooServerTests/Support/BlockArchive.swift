// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

/// An archive made of given blocks, of which a server need not know what is in them.
struct BlockArchive: Sendable {
    let blocks: [[UInt8]]
    let bytes: [UInt8]
    let digest: ContentDigest
    /// The byte ranges of the blocks.
    let ranges: [Range<Int>]

    init(blocks: [[UInt8]]) {
        self.blocks = blocks
        var (bytes, ranges) = ([UInt8](), [Range<Int>]())
        for block in blocks {
            ranges.append(bytes.count..<bytes.count + block.count)
            bytes += block
        }
        self.bytes = bytes
        self.ranges = ranges
        var hasher = ContentDigest.Hasher()
        hasher.update(bytes)
        digest = hasher.finish()
    }

    var table: BlockTable { table(of: digest) }

    /// The block table, which may state another archive.
    func table(of archive: ContentDigest) -> BlockTable {
        BlockTable(
            encoding: .zstd,
            archiveDigest: archive,
            blocks: zip(blocks, ranges).map { block, range in
                var hasher = ContentDigest.Hasher()
                hasher.update(block)
                let digest = hasher.finish()
                return BlockTable.Block(
                    archiveRange: range,
                    archiveDigest: digest,
                    rawRange: range,
                    rawDigest: digest
                )
            }
        )
    }
}

extension SampleRelease {
    /// The blocks of the archive with the weights.
    func weightBlocks() throws -> [[UInt8]] {
        let archive = try #require(manifest.archives.first { $0.name == "weights" })
        let table = try BlockTable(canonical: try #require(blobs[archive.blocks.digest]))
        let bytes = try #require(blobs[archive.archive.digest])
        return table.blocks.map { Array(bytes[$0.archiveRange]) }
    }
}

/// A block-wise upload, as a client sees it.
struct BlockUploadClient: Sendable {
    let client: OCIClient
    let repository: String
    let archive: BlockArchive

    init(_ client: OCIClient, _ repository: String, _ archive: BlockArchive) {
        self.client = client
        self.repository = repository
        self.archive = archive
    }

    /// Uploads the block table and starts, or continues, the upload.
    func start() async throws -> Reply {
        let table = archive.table.canonicalBytes
        let upload = try await client.upload(table, to: repository)
        #expect(upload.status == 201, "\(upload.text)")
        return try await start(archive.digest, ContentDigest(of: table))
    }

    func start(_ archive: ContentDigest, _ table: ContentDigest) async throws -> Reply {
        try await client.send(
            "POST",
            "/v2/\(repository)/blobs/uploads/?digest=\(archive)&blocks=\(table)"
        )
    }

    /// Sends bytes of the archive, or others in their place.
    func send(
        _ range: Range<Int>,
        to location: String,
        _ bytes: [UInt8]? = nil
    ) async throws -> Reply {
        try await client.send(
            "PATCH",
            location,
            ["Content-Range: \(range.lowerBound)-\(range.upperBound - 1)"],
            body: bytes ?? Array(archive.bytes[range])
        )
    }

    func end(_ location: String) async throws -> Reply {
        try await client.send("PUT", "\(location)?digest=\(archive.digest)", body: [])
    }

    /// Checks that the server has the archive and serves it.
    func expectServed() async throws {
        let blob = try await client.send("GET", "/v2/\(repository)/blobs/\(archive.digest)")
        #expect(blob.status == 200)
        #expect(blob.body == archive.bytes)
    }
}

extension Reply {
    /// The location of an upload.
    var location: String {
        get throws { try #require(fields["location"], "\(status) \(text)") }
    }

    /// The byte ranges that a block-wise upload misses.
    var missing: [Range<Int>] {
        get throws {
            try JSONObject(try JSONValue(parsing: body)).objects("missing", maximum: 1000).map {
                let start = try $0.size("start")
                return start..<(try $0.size("end"))
            }
        }
    }
}
