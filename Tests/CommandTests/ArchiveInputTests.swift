// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Checkpoints inside archives, as labs publish them.
@Suite struct ArchiveInputTests {
    private static let vectors = "\(Program.root)Tests/Vectors/conversion"

    /// Packs files with the tool of the format; names are relative to `folder`/in.
    private func pack(_ archive: String, in folder: TemporaryFolder) async throws -> String {
        let path = folder.path(of: archive)
        let source = folder.path(of: "in")
        let run =
            switch archive {
            case "x.7z": try await ProgramRun("7z", ["a", path, "\(source)/."])
            case "x.zip":
                try await ProgramRun("sh", ["-c", "cd \"$0\" && zip -qr \"$1\" .", source, path])
            case "x.tar.zst":
                try await ProgramRun("tar", ["--zstd", "-cf", path, "-C", source, "."])
            case "x.tar.gz": try await ProgramRun("tar", ["-czf", path, "-C", source, "."])
            default: try await ProgramRun("tar", ["-cf", path, "-C", source, "."])
            }
        try #require(run.status == 0, "\(run.errors)")
        return path
    }

    @Test(arguments: ["x.tar", "x.tar.gz", "x.tar.zst", "x.zip", "x.7z"])
    func aPyTorchFileInAnArchiveIsInspectedAndConverted(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let bytes = try [UInt8](
                Data(contentsOf: URL(filePath: "\(Self.vectors)/vjepa2/upstream.pt"))
            )
            try folder.write(bytes, to: "in/run 1/checkpoints/latest.pt")
            try folder.write(Array("notes".utf8), to: "in/README.md")
            let archive = try await pack(name, in: folder)
            let bare = try await zoo(
                "inspect",
                folder.path(of: "in/run 1/checkpoints/latest.pt"),
                "--json"
            )
            let found = try await zoo("inspect", archive, "--json")
            try #require(found.status == 0, "\(found.errors)")
            #expect(try found.text("fingerprint") == bare.text("fingerprint"))
            #expect(try found.text("member") == "run 1/checkpoints/latest.pt")
            let named = try await zoo("inspect", "\(archive)/run 1/checkpoints/latest.pt", "--json")
            #expect(try named.text("fingerprint") == bare.text("fingerprint"))
            let converted = try await ProgramRun(
                Program.executable,
                ["convert", archive] + Conversions.options
                    + ["--to", folder.path(of: "release"), "--json"],
                environment: zoo.environment
            )
            try #require(converted.status == 0, "\(converted.errors)")
            #expect(
                converted.errors.contains("reading 'run 1/checkpoints/latest.pt' in '\(archive)'")
            )
            let checked = try await zoo(
                "verify",
                folder.path(of: "release"),
                "--against",
                archive,
                "--json"
            )
            #expect(checked.status == 0, "\(checked.errors)")
        }
    }

    @Test func severalCheckpointsAreListedAndOneIsChosenByPath() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let bytes = try [UInt8](
                Data(contentsOf: URL(filePath: "\(Self.vectors)/vjepa2/upstream.pt"))
            )
            for epoch in ["epoch=1", "epoch=2"] {
                try folder.write(bytes, to: "in/\(epoch)/model.ckpt")
            }
            let archive = try await pack("x.tar.gz", in: folder)
            let run = try await zoo("inspect", archive, "--json")
            #expect(run.status == 64 && run.errorCode == "checkpoint.ambiguous")
            #expect(run.output.contains("epoch=1/model.ckpt"))
            let chosen = try await zoo("inspect", "\(archive)/epoch=2", "--json")
            #expect(try chosen.text("member") == "epoch=2/model.ckpt")
            let missing = try await zoo("inspect", "\(archive)/epoch=3", "--json")
            #expect(missing.status == 66 && missing.errorCode == "archive.member-not-found")
        }
    }

    @Test(arguments: ["x.tar", "x.zip"])
    func aModelFolderInAnArchiveKeepsItsConfigurationAndItsShards(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = "\(Program.root)Tests/Vectors/families/vjepa2/sharded"
            for file in try FileManager.default.contentsOfDirectory(atPath: model)
            where file != "expected.safetensors" {
                let bytes = try [UInt8](Data(contentsOf: URL(filePath: "\(model)/\(file)")))
                try folder.write(bytes, to: "in/hub/model/\(file)")
            }
            let archive = try await pack(name, in: folder)
            let bare = try await zoo("inspect", model, "--json")
            let found = try await zoo("inspect", archive, "--json")
            try #require(found.status == 0, "\(found.errors)")
            #expect(try found.text("format") == "safetensors-sharded")
            #expect(try found.text("fingerprint") == bare.text("fingerprint"))
            #expect(try found.text("member") == "hub/model")
        }
    }

    @Test func aPyTorchFileIsACheckpointAndNotAnArchive() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await zoo("inspect", "\(Self.vectors)/vjepa2/upstream.pt", "--json")
            #expect(try run.text("format") == "torch-zip")
            #expect(try run.document.value("member") == nil)
            var bytes = try [UInt8](
                Data(contentsOf: URL(filePath: "\(Self.vectors)/vjepa2/upstream.pt"))
            )
            bytes.removeLast(100)
            let cut = try await zoo("inspect", try folder.write(bytes, to: "cut.pt"), "--json")
            #expect(cut.errorCode == "checkpoint.zip-malformed")
        }
    }

    @Test func importTakesThePublishedFileFromAnArchive() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: Conversions.file)))
            let digest = ContentDigest(of: bytes).hex
            try Conversions.writeCatalogue(
                in: folder,
                details: "size: \(bytes.count), sha256: \"\(digest)\""
            )
            try folder.write(bytes, to: "in/weights/tiny.pt")
            try folder.write([1, 2, 3], to: "in/weights/other.pt")
            let archive = try await pack("x.zip", in: folder)
            let run = try await zoo(
                "import",
                "lab/tiny",
                "--catalogue",
                folder.path(of: "catalogue"),
                "--from",
                archive,
                "--to",
                folder.path(of: "release"),
                "--json"
            )
            try #require(run.status == 0, "\(run.errors)")
            #expect(try run.text("member") == "weights/tiny.pt")
            let wrong = try await zoo(
                "import",
                "lab/tiny",
                "--catalogue",
                folder.path(of: "catalogue"),
                "--from",
                "\(archive)/weights/other.pt",
                "--to",
                folder.path(of: "no"),
                "--json"
            )
            #expect(wrong.errorCode == "import.file-mismatch")
        }
    }
}
