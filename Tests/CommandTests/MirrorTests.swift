// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting

/// `registry mirror`, and `publish` with attachments.
@Suite struct MirrorTests {
    private let name = "test/random"

    /// Attaches a document to the only release of a registry.
    @discardableResult
    private func attach(_ text: String, to root: String) throws -> ContentDigest {
        let registry = try RegistryFolder(opening: root)
        let name = try ModelName(parsing: name)
        let release = try #require(try registry.documents.index(of: name)?.entries.first)
        func descriptor(_ type: String, _ bytes: [UInt8]) throws -> JSONValue {
            [
                "mediaType": .string(type),
                "digest": .string(try registry.blobs.write(bytes).description),
                "size": .integer(bytes.count),
            ]
        }
        let manifest = try registry.blobs.read(release.digest, limit: FormatLimits.manifest)
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(ArtifactManifest.manifestType),
            "artifactType": "application/vnd.example.note",
            "config": try descriptor("application/vnd.oci.empty.v1+json", Array("{}".utf8)),
            "layers": [try descriptor("text/plain", Array(text.utf8))],
            "subject": try descriptor(ArtifactManifest.manifestType, manifest),
        ]
        return try registry.attach(document.canonicalBytes, to: name, Cancellation())
    }

    private func mirror(
        _ zoo: Program,
        _ arguments: String...
    ) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            ["registry", "mirror"] + arguments + ["--json"],
            environment: zoo.environment
        )
    }

    /// The only release in the report.
    private func release(_ run: ProgramRun) throws -> JSONObject {
        try #require(run.status == 0, "\(run.output)\(run.errors)")
        let releases = try run.document.objects("releases", maximum: 10)
        #expect(releases.count == 1)
        return try #require(releases.first)
    }

    private func empty(_ path: String, _ folder: TemporaryFolder, _ zoo: Program) async throws
        -> String
    {
        let root = folder.path(of: path)
        let made = try await zoo("registry", "init", root)
        try #require(made.status == 0, "\(made.errors)")
        return root
    }

    /// The index document, and every blob that the release and its attachments refer to.
    private func contents(_ root: String) throws -> [String: [UInt8]] {
        let blobs = "\(root)/blobs/sha256"
        let catalogue = try #require(try RegistryDocuments(root: root).catalogue())
        let derived = Set(catalogue.segments.map(\.digest.hex))
        var found: [String: [UInt8]] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: blobs)
        where !derived.contains(file) {
            found[file] = Array(try Data(contentsOf: URL(filePath: "\(blobs)/\(file)")))
        }
        found["index"] = Array(try Data(contentsOf: URL(filePath: "\(root)/index/\(name).json")))
        return found
    }

    /// Through our server, and back from it.
    @Test func aMirrorThroughOurServerHasTheSameBytes() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 3, with: zoo, in: folder)
            try attach("first", to: model.registry)
            try attach("second", to: model.registry)
            let middle = try await empty("middle", folder, zoo)
            let back = try await empty("back", folder, zoo)
            try await Serving.with(middle, zoo, folder) { url in
                let sent = try release(try await mirror(zoo, model.registry, url))
                #expect(sent.value("attachments") == .integer(3))
                #expect(sent.value("alreadyThere") == .bool(false))
                let again = try release(try await mirror(zoo, model.registry, url))
                #expect(again.value("attachments") == .integer(0))
                #expect(again.value("bytesUploaded") == .integer(0))
                #expect(again.value("alreadyThere") == .bool(true))
                _ = try release(try await mirror(zoo, url, back, name))
            }
            let expected = try contents(model.registry)
            #expect(try contents(middle) == expected)
            #expect(try contents(back) == expected)
            let check = try await zoo("registry", "check", back, "--json")
            #expect(check.status == 0, "\(check.output)")
        }
    }

    /// What the index document says of versions and channels, without the dates of yanks.
    private func state(_ root: String) throws -> String {
        let index = try #require(
            try RegistryDocuments(root: root).index(of: try ModelName(parsing: name))
        )
        let versions = index.entries.map { "\($0.version) \($0.digest) \($0.yank?.reason ?? "")" }
        let channels = index.channels.sorted { $0.key < $1.key }.map {
            "\($0.key) \($0.value.sorted())"
        }
        return (versions + channels).joined(separator: "\n")
    }

    @Test func yanksAndChannelsAreCopiedToOurServer() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let middle = try await empty("middle", folder, zoo)
            func change(_ arguments: String...) async throws {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + ["--registry", model.registry],
                    environment: zoo.environment
                )
                try #require(run.status == 0, "\(run.errors)")
            }
            try await Serving.with(middle, zoo, folder) { url in
                _ = try release(try await mirror(zoo, model.registry, url))
                #expect(try state(middle) == state(model.registry))
                try await change("channel", name, "candidate", "--add", "1.0.0")
                try await change("channel", name, "stable", "--remove", "1.0.0")
                _ = try release(try await mirror(zoo, model.registry, url, name))
                #expect(try state(middle) == state(model.registry))
                try await change("yank", "\(name):1.0.0", "--reason", "wrong")
                let run = try await mirror(zoo, model.registry, url, name)
                #expect(try run.document.value("skipped") == .array([]), "\(run.output)")
                #expect(try state(middle) == state(model.registry))
                #expect(try state(middle).contains("wrong"))
            }
        }
    }

    /// There and back, the index document is the same, with the dates of yanks.
    @Test(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
    func yanksAndChannelsAreCopiedThroughDockersRegistry() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let back = try await empty("back", folder, zoo)
            func run(_ arguments: String...) async throws {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                try #require(run.status == 0, "\(run.errors)")
            }
            func index(_ root: String) throws -> IndexDocument? {
                try RegistryDocuments(root: root).index(of: ModelName(parsing: name))
            }
            try await DockerRegistryServer.with { server in
                try await run("registry", "mirror", model.registry, server.url)
                for change in [
                    ["channel", name, "tested", "--add", "1.0.0"],
                    ["yank", "\(name):1.0.0", "--reason", "wrong"],
                    ["channel", name, "stable", "--remove", "1.0.0"],
                    ["unyank", "\(name):1.0.0"],
                ] {
                    let changed = try await ProgramRun(
                        Program.executable,
                        change + ["--registry", model.registry],
                        environment: zoo.environment
                    )
                    try #require(changed.status == 0, "\(changed.errors)")
                    try await run("registry", "mirror", model.registry, server.url, name)
                    try await run("registry", "mirror", server.url, back, name)
                    #expect(try index(back) == index(model.registry), "\(change)")
                }
            }
        }
    }

    /// A registry that we did not write, without the referrers API.
    @Test(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
    func aMirrorThroughDockersRegistryHasTheSameBytes() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 3, with: zoo, in: folder)
            try attach("first", to: model.registry)
            try attach("second", to: model.registry)
            let back = try await empty("back", folder, zoo)
            try await NginxServer.with(folder: model.registry) { web in
                try await DockerRegistryServer.with { server in
                    let sent = try release(try await mirror(zoo, web.url(""), server.url))
                    #expect(sent.value("attachments") == .integer(3))
                    let again = try release(try await mirror(zoo, web.url(""), server.url))
                    #expect(again.value("attachments") == .integer(0))
                    #expect(again.value("bytesUploaded") == .integer(0))

                    let unnamed = try await mirror(zoo, server.url, back)
                    #expect(unnamed.status == 66)
                    #expect(unnamed.errorCode == "registry.not-a-registry")
                    let received = try release(try await mirror(zoo, server.url, back, name))
                    #expect(received.value("attachments") == .integer(3))
                }
            }
            #expect(try contents(back) == contents(model.registry))
        }
    }

    @Test func anInterruptedMirrorIsCompleted() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 8, with: zoo, in: folder)
            let back = try await empty("back", folder, zoo)
            try await NginxServer.with(folder: model.registry) { web in
                let killed = try zoo.start(
                    ["registry", "mirror", web.url(""), back, "--max-rate", "2M"]
                )
                let all = try blobs(ofReleaseIn: model)
                func arrived() -> Int {
                    all.count {
                        FileManager.default.fileExists(atPath: "\(back)/blobs/sha256/\($0)")
                    }
                }
                // Small blobs arrive long before 16 MiB do.
                for _ in 0..<1000 where arrived() == 0 {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(killed.isRunning)
                await killed.kill()
                #expect(!FileManager.default.fileExists(atPath: "\(back)/index/\(name).json"))
                let kept = arrived()
                #expect((1..<all.count).contains(kept))
                let rest = try release(try await mirror(zoo, web.url(""), back))
                #expect(try rest.array("blobs", maximum: 100).count == all.count - kept)
            }
            let check = try await zoo("registry", "check", back, "--json")
            #expect(check.status == 0, "\(check.output)")
            #expect(try check.integer("releases") == 1)
        }
    }

    /// The hexadecimal digests of the blobs of the release besides its manifest.
    private func blobs(ofReleaseIn model: PackedModel) throws -> Set<String> {
        let documents = RegistryDocuments(root: model.registry)
        let index = try #require(try documents.index(of: ModelName(parsing: name)))
        let manifest = try documents.release(index.entries[0].digest).manifest
        return Set((manifest.blobs + manifest.skipped).map(\.digest.hex))
    }

    /// A changed byte is found on the way, and the destination has no release.
    @Test(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
    func aDamagedReleaseIsNotPublished() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 2, with: zoo, in: folder)
            let blob = String(try model.largestBlob().dropFirst(folder.path.count + 1))
            var bytes = try folder.read(blob)
            bytes[2_000_000] ^= 4
            try folder.write(bytes, to: blob)
            let back = try await empty("back", folder, zoo)
            try await NginxServer.with(folder: model.registry) { web in
                try await DockerRegistryServer.with { server in
                    for destination in [server.url, back] {
                        let run = try await mirror(zoo, web.url(""), destination)
                        #expect(run.status == 76, "\(run.output)")
                        #expect(run.errorCode == "registry.digest-mismatch")
                        let found = try await zoo("versions", name, "--registry", destination)
                        #expect(found.status == 66, "\(found.output)")
                    }
                    // A folder is checked before anything is sent.
                    let local = try await mirror(zoo, model.registry, server.url)
                    #expect(local.status == 76, "\(local.output)")
                }
            }
        }
    }

    @Test(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
    func aYankedReleaseStaysYanked() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let back = try await empty("back", folder, zoo)
            _ = try release(try await mirror(zoo, model.registry, back))
            let yank = try await zoo(
                "yank",
                "\(name):1.0.0",
                "--reason",
                "wrong",
                "--registry",
                model.registry
            )
            #expect(yank.status == 0, "\(yank.errors)")
            // All versions are yanked, so the catalogue does not list the model.
            _ = try release(try await mirror(zoo, model.registry, back, name))
            #expect(try contents(back) == contents(model.registry))
            try await DockerRegistryServer.with { server in
                let run = try await mirror(zoo, model.registry, server.url, name)
                _ = try release(run)
                #expect(try run.document.value("skipped") == .array([]))
                let again = try await empty("again", folder, zoo)
                _ = try release(try await mirror(zoo, server.url, again, name))
                #expect(try contents(again) == contents(model.registry))
            }
        }
    }

    @Test func publishSendsAttachments() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            try attach("first", to: model.registry)
            let other = try await empty("other", folder, zoo)
            let arguments = [model.registry, "--registry", other, "--json"]
            for (more, count) in [(["--dry-run"], 2), ([], 2), ([], 0)] {
                let run = try await ProgramRun(
                    Program.executable,
                    ["publish"] + arguments + more,
                    environment: zoo.environment
                )
                #expect(try release(run).value("attachments") == .integer(count))
            }
            #expect(try contents(other) == contents(model.registry))
        }
    }

    /// Skopeo lists a release without its type, and under the tag that it was given.
    @Test func aLayoutThatSkopeoWroteIsPublished() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let copy = folder.path(of: "copy")
            let skopeo = try await ProgramRun(
                "skopeo",
                ["copy", "oci:\(Program.embedded):ami/ball-drop:1.0.0", "oci:\(copy):1.0.0"]
            )
            #expect(skopeo.status == 0, "\(skopeo.errors)")
            let other = try await empty("other", folder, zoo)
            let run = try await zoo(
                "publish",
                copy,
                "--registry",
                other,
                "--unvalidated",
                "a copy",
                "--json"
            )
            #expect(try release(run).value("reference") == .string("ami/ball-drop:1.0.0"))
            let check = try await zoo("registry", "check", other)
            #expect(check.status == 0, "\(check.output)")
        }
    }
}
