// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The commands that make and serve registries, and what other people's programs make of them.
@Suite struct PublishTests {
    @Test func aPackedModelIsServedPulledAndVerified() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(
                tensors: 6,
                with: zoo,
                in: folder,
                compression: "zstd"
            )
            let check = try await zoo("registry", "check", model.registry, "--json")
            #expect(check.status == 0)
            #expect(try check.text("status") == "passed")
            #expect(try check.integer("releases") == 1)
            try await Serving.with(model.registry, zoo, folder) { url in
                let pull = try await zoo("pull", "test/random", "--registry", url, "--json")
                #expect(pull.status == 0, "\(pull.errors)")
                let path = try pull.text("path")
                let difference = try await ProgramRun(
                    "diff",
                    ["-r", "-x", ".ami-zoo", "-x", "model.yaml", model.source, path]
                )
                #expect(difference.status == 0, "\(difference.output)")
                #expect(try await zoo("verify", "test/random", "--deep").status == 0)
            }
        }
    }

    @Test func packingTwiceMakesTheSameBytes() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 3, with: zoo, in: folder)
            let again = try await zoo(
                "pack",
                model.source,
                "--output",
                model.registry,
                "--compression",
                "none",
                "--json"
            )
            #expect(again.status == 0)
            #expect(try again.text("reference") == "test/random:1.0.0")
            let versions = try await zoo("versions", "test/random", "--registry", model.registry)
            let digest = try again.text("digest").dropFirst("sha256:".count).prefix(12)
            #expect(versions.output.contains(digest))

            // The same version with other content is refused, and the registry is as it was.
            try folder.write(Array("{}".utf8), to: "source/config.json")
            let other = try await zoo(
                "pack",
                model.source,
                "--output",
                model.registry,
                "--compression",
                "none",
                "--unvalidated",
                "random weights",
                "--json"
            )
            #expect(other.status == 77)
            #expect(other.errorCode == "registry.version-taken")
            #expect(try await zoo("registry", "check", model.registry).status == 0)
        }
    }

    @Test func tarOpensTheArchives() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(
                tensors: 6,
                with: zoo,
                in: folder,
                compression: "zstd"
            )
            let archive = try model.largestBlob()
            try folder.write([], to: "out/.keep")
            let tar = try await ProgramRun(
                "tar",
                ["--zstd", "-xf", archive, "-C", folder.path(of: "out")]
            )
            #expect(tar.status == 0, "\(tar.errors)")
            #expect(
                try folder.read("out/model.safetensors") == folder.read("source/model.safetensors")
            )
        }
    }

    @Test func skopeoCopiesReleases() async throws {
        try await TemporaryFolder.with { folder in
            let copy = folder.path(of: "copy")
            let run = try await ProgramRun(
                "skopeo",
                [
                    "copy", "oci:\(Program.embedded):ami/ball-drop:1.0.0",
                    "oci:\(copy):ami/ball-drop:1.0.0",
                ]
            )
            #expect(run.status == 0, "\(run.errors)")
            let blobs = "blobs/sha256"
            for name in try FileManager.default.contentsOfDirectory(atPath: "\(copy)/\(blobs)") {
                let file = URL(filePath: "\(Program.embedded)/\(blobs)/\(name)")
                #expect(try folder.read("copy/\(blobs)/\(name)") == [UInt8](Data(contentsOf: file)))
            }
        }
    }

    /// A file carries releases to another machine; a flipped byte anywhere in it publishes nothing wrong.
    @Test func anExportedFileIsImported() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let file = folder.path(of: "zoo.tar")
            let export = try await zoo(
                "registry",
                "export",
                file,
                "ami/ball-drop",
                "--registry",
                Program.embedded
            )
            #expect(export.status == 0, "\(export.errors)")
            let nowhere = folder.path(of: "missing/zoo.tar")
            let refused = try await zoo("registry", "export", nowhere, "--json")
            #expect(refused.errorCode == "io.not-found")
            #expect(!FileManager.default.fileExists(atPath: folder.path(of: "missing")))
            let copy = try await ProgramRun(
                "skopeo",
                [
                    "copy", "oci-archive:\(file):ami/ball-drop:1.1.0",
                    "oci:\(folder.path(of: "layout")):1.1.0",
                ]
            )
            #expect(copy.status == 0, "\(copy.errors)")
            let good = folder.path(of: "good")
            #expect(try await zoo("registry", "init", good).status == 0)
            for sent in [2, 0] {
                let run = try await zoo("registry", "import", file, "--registry", good, "--json")
                #expect(run.status == 0, "\(run.errors)")
                let releases = try run.document.objects("releases", maximum: 10)
                #expect(releases.count == 2)
                let new = releases.count { $0.value("alreadyThere") == .bool(false) }
                #expect(new == sent)
            }
            let index = "index/ami/ball-drop.json"
            // The program that wrote the registry summarised no evidence.
            let copied = folder.path(of: "copied")
            try FileManager.default.copyItem(atPath: Program.embedded, toPath: copied)
            #expect(try await zoo("registry", "index", copied).status == 0)
            #expect(try folder.read("good/\(index)") == folder.read("copied/\(index)"))
            #expect(try await zoo("registry", "check", good).status == 0)
            // What a damaged file publishes, if anything, is exactly what was exported.
            let bytes = try folder.read("zoo.tar")
            for (number, position) in stride(from: 0, to: bytes.count, by: bytes.count / 24)
                .enumerated()
            {
                var damaged = bytes
                damaged[min(position + (number * 97) % 512, bytes.count - 1)] ^= 4
                try folder.write(damaged, to: "damaged.tar")
                let root = folder.path(of: "root-\(number)")
                #expect(try await zoo("registry", "init", root).status == 0)
                let run = try await zoo(
                    "registry",
                    "import",
                    folder.path(of: "damaged.tar"),
                    "--registry",
                    root
                )
                #expect(try await zoo("registry", "check", root).status == 0)
                guard run.status == 0 else { continue }
                for name in try FileManager.default.contentsOfDirectory(
                    atPath: "\(root)/blobs/sha256"
                ) where !name.hasPrefix(".") {
                    let path = "blobs/sha256/\(name)"
                    let bytes = try folder.read("root-\(number)/\(path)")
                    #expect(ContentDigest(of: bytes).hex == name)
                }
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!left.contains { $0.hasSuffix(".tmp") })
        }
    }

    @Test func checkFindsABlobThatChanged() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 3, with: zoo, in: folder)
            let blob = String(try model.largestBlob().dropFirst(folder.path.count + 1))
            var bytes = try folder.read(blob)
            bytes[2_000_000] ^= 4
            try folder.write(bytes, to: blob)
            let check = try await zoo("registry", "check", model.registry, "--json")
            #expect(check.status == 1)
            #expect(try check.text("status") == "failed")
            #expect(check.output.contains("mismatch"))
        }
    }
}

/// `ami-zoo serve` in the background.
enum Serving {
    static func with(
        _ registry: String,
        _ zoo: Program,
        _ folder: TemporaryFolder,
        options: [String] = [],
        _ body: (String) async throws -> Void
    ) async throws {
        try await process(registry, zoo, folder, options: options) { url, _ in try await body(url) }
    }

    /// Runs `body` beside a server, which is killed afterwards.
    static func process<Result>(
        _ registry: String,
        _ zoo: Program,
        _ folder: TemporaryFolder,
        options: [String] = [],
        environment: [String: String] = [:],
        _ body: (_ url: String, _ server: ChildProcess) async throws -> Result
    ) async throws -> Result {
        let process = try ChildProcess(
            Program.executable,
            ["serve", "--root", registry, "--listen", "127.0.0.1:0"] + options,
            environment: zoo.environment.merging(environment) { $1 },
            output: folder.path(of: "address")
        )
        do {
            let result = try await body(try await address(of: process, in: folder) ?? "", process)
            await process.kill()
            return result
        } catch {
            await process.kill()
            throw error
        }
    }

    /// Waits until a server, whose output is the file `address` of `folder`, says where it listens; nil when
    /// it ends before.
    static func address(
        of server: ChildProcess,
        in folder: TemporaryFolder
    ) async throws -> String? {
        for _ in 0..<2500 where server.isRunning {
            let text = String(decoding: try folder.read("address"), as: UTF8.self)
            if let end = text.firstIndex(of: "\n") {
                return String(text[..<end].dropFirst("serving at ".count))
            }
            try await Task.sleep(for: .milliseconds(4))
        }
        return nil
    }
}

extension PackedModel {
    /// The path of the archive with the weights.
    func largestBlob() throws -> String {
        let folder = "\(registry)/blobs/sha256"
        let sizes = try FileManager.default.contentsOfDirectory(atPath: folder).map { name in
            let path = "\(folder)/\(name)"
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            return (path: path, size: size ?? 0)
        }
        return try #require(sizes.max { $0.size < $1.size }).path
    }
}
