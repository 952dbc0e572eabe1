// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTrust

/// Paths and contents of tiles, entries and proofs of a log.
@Suite("Log: tiles, entries, proofs")
struct LogFormatTests {
    @Test("tiles lie where C2SP tlog-tiles puts them, and no other path is one")
    func paths() {
        let entries = LogTile(.entries, index: 1_234_067)
        #expect(entries.path == "tile/entries/x001/x234/067")
        #expect(LogTile(.hashes(level: 2), index: 0, width: 17).path == "tile/2/000.p/17")
        for tile in [
            entries, LogTile(.entries, index: 999, width: 255),
            LogTile(.hashes(level: 0), index: 1000),
            LogTile(.hashes(level: 63), index: .max, width: 1),
        ] { #expect(LogTile(path: tile.path) == tile, "\(tile.path)") }
        for path in [
            "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000",
            "tile/64/000", "tile/-1/000", "tile/+1/000", "tile/0/x000", "tile/0/x000/000",
            "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p", "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01", "tile/0/000.p/-1", "tile/0/000/1", "tile/0/-01", "tile/0/+01",
            "tile/entry/000", "tile/entries/000/", "/tile/0/000", "tile//000", "tile/0/../000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/0/٠٠٠", "tile/0/000.p/１",
        ] { #expect(LogTile(path: path) == nil, "\(path)") }
    }

    @Test("a log has the tiles of the example in C2SP tlog-tiles")
    func example() {
        // "273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1 tile, one partial
        // level 1 tile of width 17, and one partial level 2 tile of width 1"
        let tiles = LogTile.all(in: 70_000)
        func widths(_ content: LogTile.Content) -> [Int] {
            tiles.filter { $0.content == content }.map(\.width)
        }
        #expect(widths(.hashes(level: 0)) == Array(repeating: 256, count: 273) + [112])
        #expect(widths(.entries) == widths(.hashes(level: 0)))
        #expect(widths(.hashes(level: 1)) == [256, 17])
        #expect(widths(.hashes(level: 2)) == [1])
        #expect(
            LogTile.all(in: 256).map(\.path) == [
                "tile/entries/000", "tile/0/000", "tile/1/000.p/1",
            ]
        )
        #expect(LogTile.all(in: 0).isEmpty)
    }

    @Test("a bundle holds exactly its entries")
    func bundles() throws {
        let entries: [[UInt8]] = [[], [1], Array(repeating: 2, count: 65_535)]
        let tile = LogTile(.entries, index: 0, width: 3)
        let bytes = EntryBundle.bytes(of: entries)
        #expect(bytes.prefix(5) == [0, 0, 0, 1, 1])
        #expect(try EntryBundle.entries(bytes, of: tile) == entries)
        for changed in [
            [], Array(bytes.dropLast()), bytes + [0], bytes + [0, 0], Array(bytes.dropFirst(2)),
            bytes + [0, 1],
        ] {
            #expect(throws: ZooError(.logMalformed, "")) {
                try EntryBundle.entries(changed, of: tile)
            }
        }
    }

    private let release: LogEntry.Release

    init() throws {
        release = LogEntry.Release(try SemanticVersion(parsing: "1.0.0"), ContentDigest(of: [1]))
    }

    private func entry(_ event: LogEntry.Event, index: ContentDigest?) throws -> LogEntry {
        LogEntry(
            name: try ModelName(parsing: "ami/ball-drop"),
            event: event,
            index: index,
            time: try #require(Timestamp(parsing: "2026-01-31T12:00:00Z"))
        )
    }

    @Test("every event is written and read")
    func entries() throws {
        for event: LogEntry.Event in [
            .publish(release), .yank(release), .unyank(release), .channel(.stable),
            .attach(release, ContentDigest(of: [2])), .detach(release, ContentDigest(of: [2])),
            .delete(release), .index,
        ] { try check(event) }
    }

    private func check(_ event: LogEntry.Event) throws {
        for index in [nil, ContentDigest(of: [3])] {
            let entry = try entry(event, index: index)
            #expect(try LogEntry(canonical: entry.canonicalBytes) == entry)
        }
        // Members that are missing or of another type are refused, others are ignored.
        let stored = try entry(event, index: ContentDigest(of: [3])).canonicalBytes
        let members = try JSONObject(JSONValue(parsing: stored)).members
        for name in members.keys {
            for value in [nil, .null, 7, "X!"] as [JSONValue?] {
                // Without a document: a deletion.
                if name == "index", value == nil { continue }
                var changed = members
                changed[name] = value
                #expect(throws: ZooError.self, "\(name) \(value ?? .null)") {
                    try LogEntry(canonical: JSONValue.object(changed).canonicalBytes)
                }
            }
        }
        var more = members
        more["note"] = "later"
        #expect(try LogEntry(canonical: JSONValue.object(more).canonicalBytes).event == event)
    }

    @Test("the stored form of an entry")
    func stored() throws {
        let entry = try entry(.publish(release), index: ContentDigest(of: []))
        #expect(
            String(decoding: entry.canonicalBytes, as: UTF8.self) == """
                {"event":"publish","format":"ami-zoo.log-entry/1",\
                "index":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",\
                "manifest":"sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",\
                "name":"ami/ball-drop","time":"2026-01-31T12:00:00Z","version":"1.0.0"}
                """
        )
    }

    @Test("a proof is read only as it was made")
    func proofs() throws {
        let entries = (0..<300).map { Array("entry \($0)".utf8) }
        var hashes = TileHashes()
        let leaves = entries.map(MerkleTree.leaf)
        hashes.add(Array(leaves[..<256]), of: LogTile(.hashes(level: 0), index: 0))
        hashes.add(Array(leaves[256...]), of: LogTile(.hashes(level: 0), index: 1, width: 44))
        hashes.add(
            [TileHashes.root(of: leaves[..<256])],
            of: LogTile(.hashes(level: 1), index: 0, width: 1)
        )
        let signer = try NoteSigner.generate(name: "example.org/log")
        let identity = LogIdentity(origin: "example.org/log", key: signer.verifier)
        let checkpoint = try SignedCheckpoint(
            LogCheckpoint(origin: identity.origin, size: 300, root: hashes.root(of: 300)),
            by: signer
        )
        let proof = try LogProof(
            of: entries[257],
            hashes.inclusion(of: 257, in: 300),
            under: checkpoint
        )
        #expect(proof.bytes.starts(with: "c2sp.org/tlog-proof@v1\nextra ".utf8))
        #expect(try LogProof(proof.bytes, of: identity) == proof)
        #expect(throws: ZooError(.logMismatch, "")) {
            try LogProof(of: entries[256], hashes.inclusion(of: 257, in: 300), under: checkpoint)
        }
        for position in proof.bytes.indices {
            for change in [1, 4] as [UInt8] {
                var changed = proof.bytes
                changed[position] ^= change
                #expect(throws: ZooError.self, "byte \(position)") {
                    try LogProof(changed, of: identity)
                }
            }
            #expect(throws: ZooError.self) {
                try LogProof(Array(proof.bytes[..<position]), of: identity)
            }
        }
    }
}
