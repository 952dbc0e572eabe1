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
