// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

/// Reads every vector of `Tests/Vectors/registry`, which another implementation wrote.
@Suite("Conformance vectors of the registry format")
struct ConformanceTests {
    /// Kinds that ZooCore implements; the tests below read one each.
    static let kinds: Set = [
        "blocks", "canonical-json", "canonical-number", "dataset", "digest", "image-index", "index",
        "layout",
        "manifest", "path", "path-collision", "record", "reference", "registry", "version",
        "version-order",
    ]
    /// Kinds that another module implements and its tests read: block cutting is ZooArchive's.
    static let elsewhere: Set = ["block-cuts"]

    @Test("every file of vectors is read by a test")
    func everyFileIsRead() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Vector.folder,
            includingPropertiesForKeys: nil
        )
        let found = files.filter { $0.pathExtension == "json" }
            .map { $0.deletingPathExtension().lastPathComponent }
        #expect(Set(found) == Self.kinds.union(Self.elsewhere))
        for kind in Self.kinds { #expect(!Vector.all(kind).isEmpty) }
    }

    @Test("zoo.json is accepted or refused as specified", arguments: Vector.all("registry"))
    func registry(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let description = try RegistryDescription(canonical: bytes)
            try vector.checkStored(bytes, rewritten: description.canonicalBytes)
            var found: [String: JSONValue] = [
                "name": .string(description.name), "mirrors": JSONValue(description.mirrors),
            ]
            if let trust = description.trust {
                found["trust"] = .string("\(trust.path) \(trust.digest)")
            }
            if let log = description.log { found["log"] = .string("\(log.origin) \(log.key)") }
            return .object(found)
        }
    }

    @Test("index documents are accepted, resolved or refused", arguments: Vector.all("index"))
    func index(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let index = try IndexDocument(canonical: bytes)
            try vector.checkStored(bytes, rewritten: index.canonicalBytes)
            var resolved: [String: JSONValue] = [:]
            for selector in try vector.derived().object("resolves").members.keys {
                let reference = try ModelReference(parsing: "\(index.name):\(selector)")
                let entry = index.entry(for: reference.selector)
                resolved[selector] = JSONValue(entry?.version.description)
            }
            var attachments: [String: JSONValue] = [:]
            for entry in index.entries where !entry.attachments.isEmpty {
                attachments[entry.version.description] = JSONValue(
                    entry.attachments.map { "\($0.type) \($0.digest) \($0.size)" }
                )
            }
            return [
                "kind": .string(index.kind.rawValue), "attachments": .object(attachments),
                "versions": JSONValue(index.entries.map(\.version.description)),
                "resolves": .object(resolved),
            ]
        }
    }

    @Test("manifests are accepted or refused as specified", arguments: Vector.all("manifest"))
    func manifest(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let manifest = try ReleaseManifest(canonical: bytes)
            try vector.checkStored(bytes, rewritten: manifest.canonicalBytes)
            return [
                "kind": .string(manifest.kind.rawValue),
                "skipped": JSONValue(manifest.skipped.map(\.digest.description)),
                "archives": JSONValue(manifest.archives.map(\.name)),
                "blobs": JSONValue(manifest.blobs.map(\.digest.description)),
                "transferSize": .integer(manifest.transferSize),
            ]
        }
    }

    @Test("release records are accepted or refused as specified", arguments: Vector.all("record"))
    func record(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let record = try ReleaseRecord(canonical: bytes)
            try vector.checkStored(bytes, rewritten: record.canonicalBytes)
            var archives: [String: JSONValue] = [:]
            for name in Set(record.files.map(\.archive)) {
                let layout = record.layout(of: name)
                archives[name] = [
                    "rawSize": .integer(layout.rawSize),
                    "members": JSONValue(layout.members.map(\.path.text)),
                ]
            }
            var quantised: [String: JSONValue] = [:]
            for component in record.components {
                if let scheme = component.quantisation?.scheme {
                    quantised[component.name] = .string(scheme)
                }
            }
            return [
                "digest": .string(record.digest.description),
                "modality": .string(record.inputs.modality.rawValue),
                "quantities": JSONValue(record.inputs.quantities.map(\.name)),
                "actions": JSONValue(record.actions.map(\.name)),
                "states": JSONValue(record.states.map(\.name)),
                "quantised": .object(quantised),
                "totalSize": .integer(record.totalSize), "archives": .object(archives),
                "components": JSONValue(record.components.map(\.name)),
            ]
        }
    }

    @Test("records of data sets are accepted or refused", arguments: Vector.all("dataset"))
    func dataset(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let record = try DataSetRecord(canonical: bytes)
            try vector.checkStored(bytes, rewritten: record.canonicalBytes)
            var archives: [String: JSONValue] = [:]
            for name in Set(record.files.map(\.archive)) {
                let layout = record.layout(of: name)
                archives[name] = [
                    "rawSize": .integer(layout.rawSize),
                    "members": JSONValue(layout.members.map(\.path.text)),
                ]
            }
            let labels: JSONValue =
                switch record.labels {
                case nil: .null
                case .folders(let classes): ["kind": "folders", "classes": .integer(classes)]
                case .csv(let path, let classes):
                    [
                        "kind": "csv", "path": .string(path.text), "classes": .integer(classes),
                    ]
                }
            return [
                "digest": .string(record.digest.description),
                "totalSize": .integer(record.totalSize), "archives": .object(archives),
                "modality": .string(record.modality.rawValue),
                "splits": .array(
                    record.splits.map { split in
                        [
                            "name": .string(split.name), "count": .integer(split.count),
                            "files": JSONValue(split.files.map(\.text)),
                        ]
                    }
                ),
                "labels": labels,
            ]
        }
    }

    @Test("block tables are accepted or refused as specified", arguments: Vector.all("blocks"))
    func blocks(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let table = try BlockTable(canonical: bytes)
            try vector.checkStored(bytes, rewritten: table.canonicalBytes)
            return [
                "archiveSize": .integer(table.archiveSize), "rawSize": .integer(table.rawSize),
                "blocks": .integer(table.blocks.count),
                "encoding": .string(table.encoding.rawValue),
            ]
        }
    }

    @Test("the OCI index.json is accepted or refused", arguments: Vector.all("image-index"))
    func imageIndex(vector: Vector) throws {
        try vector.check {
            let bytes = try vector.bytes()
            let index = try ImageIndex(parsing: bytes)
            try vector.checkStored(bytes, rewritten: index.canonicalBytes)
            func texts(_ entries: [ImageIndex.Entry]) -> JSONValue {
                JSONValue(entries.map { "\($0.name):\($0.version)@\($0.digest)" })
            }
            return [
                "releases": texts(index.entries),
                "datasets": texts(index.entries.filter { $0.kind == .dataset }),
            ]
        }
    }

    @Test("every byte of an archive lies where the format says", arguments: Vector.all("layout"))
    func layout(vector: Vector) throws {
        let files = try JSONObject(try vector.document()).objects("files", maximum: 100).map {
            (
                path: try ReleasePath(parsing: try $0.string("path", maximum: 1024)),
                size: try $0.size("size")
            )
        }
        let layout = ArchiveLayout(files: files.reversed())
        let derived = try vector.derived()
        #expect(
            layout.rawSize == (try derived.integer("rawSize", in: 0...JSONValue.largestInteger))
        )
        let expected = try derived.objects("members", maximum: 100)
        #expect(layout.members.count == expected.count)
        for (member, expected) in zip(layout.members, expected) {
            #expect(
                Array(member.path.text.utf8)
                    == Array(try expected.string("path", maximum: 1024).utf8)
            )
            #expect(member.size == (try expected.size("size")))
            #expect(member.headerOffset == (try expected.size("headerOffset")))
            #expect(member.contentOffset == (try expected.size("contentOffset")))
            let header = layout.bytes(of: member.headerOffset..<member.contentOffset)
            #expect(ContentDigest(of: header).hex == (try expected.string("headerSha256")))
        }
        if let digest = try derived.optionalString("streamSha256") {
            #expect(ContentDigest(of: layout.bytes(of: 0..<layout.rawSize)).hex == digest)
        }
    }

    @Test("paths are accepted or refused as specified", arguments: Vector.all("path"))
    func path(vector: Vector) throws {
        try vector.check {
            let path = try ReleasePath(parsing: try vector.text())
            return ["components": JSONValue(path.components)]
        }
    }

    @Test("paths that file systems confuse collide", arguments: Vector.all("path-collision"))
    func collisions(vector: Vector) throws {
        try vector.check {
            let pair = try JSONObject(["pair": try vector.document()]).strings("pair", maximum: 2)
            let keys = Set(try pair.map { try ReleasePath(parsing: $0).collisionKey })
            return ["collide": .bool(keys.count == 1)]
        }
    }

    @Test("references are accepted or refused as specified", arguments: Vector.all("reference"))
    func reference(vector: Vector) throws {
        try vector.check {
            let reference = try ModelReference(parsing: try vector.text())
            #expect(try ModelReference(parsing: reference.description) == reference)
            var derived: [String: JSONValue] = [
                "host": JSONValue(reference.host), "name": .string(reference.name.description),
                "digest": JSONValue(reference.digest?.description),
                "text": .string(reference.description),
            ]
            switch reference.selector {
            case .channel(let channel): derived["channel"] = .string(channel.text)
            case .version(let version): derived["version"] = .string(version.description)
            }
            return .object(derived)
        }
    }

    @Test("versions are accepted or refused as specified", arguments: Vector.all("version"))
    func version(vector: Vector) throws {
        try vector.check {
            ["text": .string(try SemanticVersion(parsing: try vector.text()).description)]
        }
    }

    @Test("versions have the precedence of SemVer", arguments: Vector.all("version-order"))
    func versionOrder(vector: Vector) throws {
        let texts = try JSONObject(["list": try vector.document()]).strings("list", maximum: 100)
        let versions = try texts.map { try SemanticVersion(parsing: $0) }
        for (first, one) in versions.enumerated() {
            for (second, other) in versions.enumerated() {
                #expect((one < other) == (first < second), "\(one) and \(other)")
                #expect((one == other) == (first == second), "\(one) and \(other)")
            }
        }
    }

    @Test("digests are accepted or refused as specified", arguments: Vector.all("digest"))
    func digest(vector: Vector) throws {
        try vector.check {
            let digest = try ContentDigest(parsing: try vector.text())
            #expect(digest.description == (try vector.text()))
            guard case .string(let message) = try vector.derived().required("message") else {
                throw ZooError(.fieldInvalid, "no message")
            }
            #expect(ContentDigest(of: Array(message.utf8)) == digest)
            return ["message": .string(message)]
        }
    }

    @Test("numbers are printed as ECMAScript does", arguments: Vector.all("canonical-number"))
    func number(vector: Vector) throws {
        try vector.check {
            let bits = try #require(UInt64(try vector.text(), radix: 16))
            let number = JSONValue.number(Double(bitPattern: bits))
            return ["text": .string(String(decoding: number.canonicalBytes, as: UTF8.self))]
        }
    }

    @Test(
        "any JSON is brought to canonical form or refused",
        arguments: Vector.all("canonical-json")
    )
    func canonicalJSON(vector: Vector) throws {
        try vector.check {
            let value = try JSONValue(parsing: try vector.bytes())
            let canonical = value.canonicalBytes
            #expect(try JSONValue(canonical: canonical).canonicalBytes == canonical)
            return ["canonical": .string(String(decoding: canonical, as: UTF8.self))]
        }
    }
}
