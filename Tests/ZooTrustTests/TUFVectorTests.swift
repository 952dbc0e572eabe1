// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTrust

/// Holds what python-tuf wrote (`Tests/Vectors/tuf/make.py`) against this client.
@Suite("TUF client: vectors of python-tuf")
struct TUFVectorTests {
    static func vectors(_ kind: String) throws -> [JSONObject] {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/tuf/vectors.json")
        let document = try JSONObject(try JSONValue(parsing: Array(try Data(contentsOf: file))))
        return try document.objects(kind, maximum: 1000)
    }

    static func text(_ vector: JSONObject, _ name: String) throws -> String {
        guard case .string(let text) = try vector.required(name) else {
            throw vector.invalid(name, "must be a string")
        }
        return text
    }

    @Test("canonical JSON has the same bytes")
    func canonical() throws {
        let vectors = try Self.vectors("canonical")
        #expect(vectors.count == 200)
        for vector in vectors {
            let value = try JSONValue(parsing: Array(try Self.text(vector, "text").utf8))
            #expect(
                try value.canonicalTUF() == Array(try Self.text(vector, "canonical").utf8)
            )
        }
    }

    @Test("path patterns match the same paths")
    func patterns() throws {
        let vectors = try Self.vectors("patterns")
        #expect(vectors.count == 400)
        for vector in vectors {
            let pattern = PathPattern(try Self.text(vector, "pattern"))
            let path = try Self.text(vector, "path")
            let matches = try vector.required("matches") == true
            #expect(pattern.matches(path) == matches, "\(vector.members)")
        }
    }

    @Test("a path is in the same hash bin")
    func bins() throws {
        let anchor = try SimulatedRepository()
        let signer = try SimulatedRepository.Signer(4)
        let now = try #require(Timestamp(parsing: "2026-01-01T00:00:00Z"))
        let root = try TrustedRoot(anchor: try #require(anchor.files["1.root.json"]), now: now)
        for vector in try Self.vectors("bins") {
            let delegations: JSONValue = [
                "keys": [:],
                "succinct_roles": [
                    "keyids": [], "threshold": 1, "name_prefix": "bin",
                    "bit_length": try vector.required("bits"),
                ],
            ]
            let bytes = try anchor.targetsFile(version: 1, [:], delegations, [signer])
            let targets = try SignedDocument<TargetsMetadata>(parsing: bytes)
                .verified(as: .targets, by: root.root.content.targets)
            let found = targets.content.delegations.matching(try Self.text(vector, "path"))
            let names = found.map(\.role.description)
            #expect(names == [try Self.text(vector, "role")])
        }
    }

    @Test("a root that python-tuf signed is trusted, and one changed character is not")
    func roots() throws {
        let now = try #require(Timestamp(parsing: "2026-01-01T00:00:00Z"))
        let vectors = try Self.vectors("roots")
        #expect(vectors.count == 3)
        for vector in vectors {
            let text = try Self.text(vector, "document")
            let root = try TrustedRoot(anchor: Array(text.utf8), now: now)
            #expect(root.root.version == 1)
            let changed = text.replacing("2040-01-01", with: "2041-01-01")
            #expect(throws: ZooError(.trustSignatures, "")) {
                try TrustedRoot(anchor: Array(changed.utf8), now: now)
            }
        }
    }
}
