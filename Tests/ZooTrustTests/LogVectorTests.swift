// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTrust

/// Holds what other implementations say about logs (`Tests/Vectors/log/make.py`) against this one.
@Suite("Log: vectors of transparency-dev/merkle and aics-tlog")
struct LogVectorTests {
    static func vectors() throws -> JSONObject {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/log/vectors.json")
        return try JSONObject(try JSONValue(parsing: Array(try Data(contentsOf: file))))
    }

    /// Hashes in base64; nil when one is no hash, which no proof or root may be.
    private static func hashes(_ value: JSONValue?) -> [ContentDigest]? {
        guard case .array(let items)? = value else { return value == .null ? [] : nil }
        var hashes: [ContentDigest] = []
        for item in items {
            guard let hash = hash(item) else { return nil }
            hashes.append(hash)
        }
        return hashes
    }

    private static func hash(_ value: JSONValue?) -> ContentDigest? {
        guard case .string(let text)? = value, let data = Data(base64Encoded: text),
            data.count == 32
        else { return nil }
        return ContentDigest(bytes: Array(data)[...])
    }

    private static func number(_ vector: JSONObject, _ name: String) throws -> Int {
        try vector.integer(name, in: 0...JSONValue.largestInteger)
    }

    /// A number of 64 bits without a sign; those that no log has wrap to negative ones.
    private static func wide(_ vector: JSONObject, _ name: String) throws -> Int {
        Int(truncatingIfNeeded: try #require(UInt64(try vector.string(name))))
    }

    @Test("proofs of inclusion are accepted and refused as by transparency-dev/merkle")
    func inclusion() throws {
        let vectors = try Self.vectors().object("merkle").objects("inclusion", maximum: 1000)
        #expect(vectors.count == 98)
        for vector in vectors {
            var accepted = false
            if let leaf = Self.hash(vector.value("leafHash")),
                let root = Self.hash(vector.value("root")),
                let hashes = Self.hashes(vector.value("proof"))
            {
                accepted = InclusionProof(
                    index: try Self.wide(vector, "leafIdx"),
                    size: try Self.wide(vector, "treeSize"),
                    hashes: hashes
                ).proves(leaf, under: root)
            }
            #expect(.bool(!accepted) == vector.value("wantErr"), "\(vector.members)")
        }
    }

    @Test("proofs of consistency are accepted and refused as by transparency-dev/merkle")
    func consistency() throws {
        let vectors = try Self.vectors().object("merkle").objects("consistency", maximum: 1000)
        #expect(vectors.count == 98)
        var skipped = 0
        for vector in vectors {
            guard let old = Self.hash(vector.value("root1")),
                let new = Self.hash(vector.value("root2"))
            else {
                // Not representable: a root of some other number of bytes.
                skipped += 1
                continue
            }
            var accepted = false
            if let hashes = Self.hashes(vector.value("proof")) {
                accepted = ConsistencyProof(
                    from: try Self.wide(vector, "size1"),
                    to: try Self.wide(vector, "size2"),
                    hashes: hashes
                ).proves(old, isPrefixOf: new)
            }
            #expect(.bool(!accepted) == vector.value("wantErr"), "\(vector.members)")
        }
        #expect(skipped == 19)
    }

    /// The hashes of the tiles of the log that the script makes, in memory.
    struct SampleLog {
        let leaves: [ContentDigest]
        /// The hashes of each level.
        private let levels: [[ContentDigest]]

        init(size: Int) {
            leaves = (0..<size).map { MerkleTree.leaf(Self.entry($0)) }
            var levels = [leaves]
            while let below = levels.last, below.count >= 256 {
                levels.append(
                    (0..<below.count / 256).map {
                        TileHashes.root(of: below[$0 * 256..<($0 + 1) * 256])
                    }
                )
            }
            self.levels = levels
        }

        /// The entry that the script puts at an index.
        static func entry(_ index: Int) -> [UInt8] {
            let digest = ContentDigest(of: "\(index)".utf8).bytes
            return (0..<index % 40).flatMap { _ in digest }
        }

        /// Adds tiles of the log, or of a shorter one, to a set.
        func add(_ tiles: Set<LogTile>, to hashes: inout TileHashes) {
            for tile in tiles {
                guard case .hashes(let level) = tile.content else { continue }
                let start = tile.index * 256
                hashes.add(Array(levels[level][start..<start + tile.width]), of: tile)
            }
        }
    }

    private static func digest(_ hashes: [ContentDigest]) -> String {
        ContentDigest(of: hashes.flatMap(\.bytes)).hex
    }

    @Test("proofs and roots from tiles are those of aics-tlog, and prove what they should")
    func tiles() throws {
        let proofs = try Self.vectors().object("proofs")
        let log = SampleLog(size: 66_000)
        for vector in try proofs.objects("inclusion", maximum: 1000) {
            let index = try Self.number(vector, "index")
            let size = try Self.number(vector, "size")
            var hashes = TileHashes()
            log.add(TileHashes.neededForInclusion(of: index, in: size), to: &hashes)
            log.add(TileHashes.neededForRoot(of: size), to: &hashes)
            let root = try ContentDigest(hex: try vector.string("root"))
            #expect(hashes.root(of: size) == root)
            let proof = hashes.inclusion(of: index, in: size)
            #expect(proof.hashes.count == (try Self.number(vector, "count")))
            #expect(Self.digest(proof.hashes) == (try vector.string("hashes")))
            #expect(proof.proves(log.leaves[index], under: root))
            #expect(!proof.proves(MerkleTree.leaf([1]), under: root))
        }
        for vector in try proofs.objects("consistency", maximum: 1000) {
            let old = try Self.number(vector, "old")
            let new = try Self.number(vector, "new")
            var hashes = TileHashes()
            log.add(TileHashes.neededForConsistency(from: old, to: new), to: &hashes)
            let proof = hashes.consistency(from: old, to: new)
            #expect(proof.hashes.count == (try Self.number(vector, "count")))
            #expect(Self.digest(proof.hashes) == (try vector.string("hashes")))
            let oldRoot = try ContentDigest(hex: try vector.string("oldRoot"))
            let newRoot = try ContentDigest(hex: try vector.string("newRoot"))
            #expect(proof.proves(oldRoot, isPrefixOf: newRoot))
            #expect(old == new || !proof.proves(newRoot, isPrefixOf: newRoot))
        }
    }

    @Test("a checkpoint has the bytes that aics-tlog writes, and its key reads it")
    func checkpoint() throws {
        let vector = try Self.vectors().object("checkpoint")
        let signer = try NoteSigner(parsing: try vector.string("skey"))
        #expect(signer.verifier.text == (try vector.string("vkey")))
        let state = LogCheckpoint(
            origin: "zoo.example.org/log",
            size: 700,
            root: try ContentDigest(hex: try vector.string("root"))
        )
        guard case .string(let note) = try vector.required("note") else {
            Issue.record("the note is no text")
            return
        }
        #expect(try SignedCheckpoint(state, by: signer).bytes == Array(note.utf8))
        let identity = LogIdentity(origin: state.origin, key: signer.verifier)
        #expect(try SignedCheckpoint(Array(note.utf8), of: identity).checkpoint == state)
    }
}
