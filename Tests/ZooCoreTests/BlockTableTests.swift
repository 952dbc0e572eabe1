// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting

@Suite("Block tables")
struct BlockTableTests {
    private static func table(blocks count: Int, length: Int) -> BlockTable {
        let blocks = (0..<count).map { index in
            let raw = index * length..<(index + 1) * length
            let digest = ContentDigest(of: [UInt8(truncatingIfNeeded: index)])
            return BlockTable.Block(
                archiveRange: raw,
                archiveDigest: digest,
                rawRange: raw,
                rawDigest: digest
            )
        }
        return BlockTable(
            encoding: .stored,
            archiveDigest: ContentDigest(of: []),
            blocks: blocks
        )
    }

    @Test("a table of as many blocks as the limit is written and read")
    func largestTable() throws {
        // A part of it in a normal run, because a debug build takes 20 s for all.
        let share = TestScale.count(16, full: 1)
        let table = Self.table(blocks: FormatLimits.blocks / share, length: FormatLimits.block)
        let bytes = table.canonicalBytes
        #expect(bytes.count <= FormatLimits.blockTable / share)
        #expect(try BlockTable(canonical: bytes) == table)
    }

    @Test("sizes are those of the last block's end")
    func sizes() {
        let table = Self.table(blocks: 3, length: 1024)
        #expect(table.archiveSize == 3072)
        #expect(table.rawSize == 3072)
        #expect(Self.table(blocks: 0, length: 1).rawSize == 0)
    }

    @Test("an encoding is named in documents as the specification writes it")
    func encodingNames() {
        #expect(ArchiveEncoding.allCases.map(\.rawValue) == ["none", "zstd"])
        #expect(
            ReleaseManifest.MediaType.archive(.zstd)
                == "application/vnd.ami.zoo.archive.v1.tar+zstd"
        )
    }
}
