// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Registry layout")
struct RegistryLayoutTests {
    @Test("blobs and index documents lie where the specification puts them")
    func paths() throws {
        let digest = ContentDigest(of: [])
        #expect(
            RegistryLayout.blob(digest)
                == "blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
        let name = try ModelName(parsing: "ami/ball-drop")
        #expect(RegistryLayout.index(name) == "index/ami/ball-drop.json")
    }

    @Test("an index document under its digest is never taken for a model, nor a model for one")
    func revisions() throws {
        let digest = ContentDigest(of: [])
        for text in ["ami/ball-drop", "a/b", "ami/\(String(repeating: "0", count: 64))"] {
            let name = try ModelName(parsing: text)
            let revision = IndexRevision(of: name, digest)
            #expect(revision.path == "index/\(name.namespace)/\(digest.hex).\(name.name).json")
            #expect(IndexRevision(path: revision.path) == revision)
            #expect(IndexRevision(path: RegistryLayout.index(name)) == nil)
            let stem = revision.path.dropFirst("index/".count).dropLast(".json".count)
            #expect((try? ModelName(parsing: String(stem))) == nil)
        }
        let path = IndexRevision(of: try ModelName(parsing: "ami/x"), digest).path
        for other in [
            "", "/", "index", "index/ami", "x\(path)", "\(path)x", "\(path)/x", "/\(path)",
            path.replacing("index/", with: "other/"), path.replacing("e3b0", with: "E3B0"),
            path.replacing(".x.json", with: "-x.json"), path.replacing(".x.json", with: ".json"),
            path.replacing(".x.json", with: ".x.JSON"), path.replacing(".x.json", with: "..json"),
            path.replacing("ami", with: ".."), path.replacing("e3b0", with: ""),
        ] { #expect(IndexRevision(path: other) == nil, "\(other)") }
    }

    @Test("the marker of an OCI image layout is canonical JSON")
    func marker() throws {
        let value = try JSONValue(canonical: Array(RegistryLayout.imageLayoutContent.utf8))
        #expect(value == ["imageLayoutVersion": "1.0.0"])
    }

    @Test("names order by namespace first")
    func nameOrder() throws {
        let names = try ["a/z", "a-b/a", "b/a"].map { try ModelName(parsing: $0) }
        #expect(names.sorted() == names)
    }
}
