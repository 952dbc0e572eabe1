// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `evaluate --data` as its users run it: a folder, and archives of it.
@Suite struct HeldDataTests {
    /// A k-NN of images in class folders, with ami/ball-drop.
    private static func write(_ name: String, to folder: TemporaryFolder) throws -> String {
        let document = HeldPictures.suite(data: "pictures")
        return try folder.write(document.canonicalBytes, to: name)
    }

    private static func run(
        _ zoo: Program,
        _ suite: String,
        _ data: [String],
        _ options: [String] = []
    ) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            ["evaluate", "ami/ball-drop", "--json", "--suite", suite]
                + data.flatMap { ["--data", $0] } + options,
            environment: zoo.environment
        )
    }

    private static func pack(_ archive: String, in folder: TemporaryFolder) async throws -> String {
        let path = folder.path(of: archive)
        let command =
            switch archive {
            case "x.zip": "zip -qr \"$1\" images"
            case "x.7z": "7z a \"$1\" images >&2"
            case "x.tar.gz": "tar -czf \"$1\" images"
            case "x.tar.zst": "tar --zstd -cf \"$1\" images"
            default: "tar -cf \"$1\" images"
            }
        let run = try await ProgramRun(
            "sh",
            ["-c", "cd \"$0\" && \(command)", "\(Program.root)Tests/Vectors/evaluation/held", path]
        )
        try #require(run.status == 0, "\(run.errors)")
        return path
    }

    @Test func aFolderAndItsArchivesGiveTheSameReport() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try #require(try await zoo("pull", "ami/ball-drop").status == 0)
            let suite = try Self.write("suite.json", to: folder)
            func reports(_ path: String, _ options: [String] = []) async throws -> JSONValue {
                let run = try await Self.run(zoo, suite, ["pictures=\(path)"], options)
                try #require(run.status == 0, "\(run.output)\(run.errors)")
                return try run.document.required("reports")
            }
            let first = try await reports(HeldPictures.images)
            for name in ["x.tar", "x.tar.gz", "x.tar.zst", "x.zip", "x.7z"] {
                let archive = try await Self.pack(name, in: folder)
                // Computed again, from the bytes of the archive.
                let work = ["--work", folder.path(of: "work-\(name)")]
                #expect(try await reports("\(archive)/images", work) == first, "\(name)")
            }
            for part in 1...2 {
                let run = try await Self.run(
                    zoo,
                    suite,
                    ["pictures=\(HeldPictures.images)"],
                    ["--shard", "\(part)/2", "--work", folder.path(of: "part\(part)")]
                )
                #expect(run.status == 0, "\(run.output)")
            }
            let merged = try await reports(
                "\(folder.path(of: "x.zip"))/images",
                ["--work", folder.path(of: "part1"), "--merge", folder.path(of: "part2")]
            )
            #expect(merged == first)
        }
    }

    @Test func copiesOfMembersAreRemoved() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try #require(try await zoo("pull", "ami/ball-drop").status == 0)
            let suite = try Self.write("suite.json", to: folder)
            let archive = try await Self.pack("x.zip", in: folder)
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "tmp"),
                withIntermediateDirectories: true
            )
            let run = try await ProgramRun(
                Program.executable,
                ["evaluate", "ami/ball-drop", "--json", "--suite", suite]
                    + ["--data", "pictures=\(archive)/images"],
                environment: zoo.environment.merging(["TMPDIR": folder.path(of: "tmp")]) { $1 }
            )
            #expect(run.status == 0, "\(run.output)")
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "tmp"))
            #expect(left.isEmpty, "\(left)")
        }
    }

    @Test func whatIsWrongWithTheDataIsTold() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try #require(try await zoo("pull", "ami/ball-drop").status == 0)
            let suite = try Self.write("suite.json", to: folder)
            func failure(_ data: [String]) async throws -> (String?, Int32, String) {
                let run = try await Self.run(zoo, suite, data)
                return (run.errorCode, run.status, run.output)
            }
            let missing = try await failure([])
            #expect(missing.0 == "evaluation.data-missing")
            #expect(missing.1 == 64)
            #expect(missing.2.contains("--data pictures=PATH"))
            #expect(
                try await failure(["others=\(HeldPictures.images)"]).0 == "evaluation.data-missing"
            )
            #expect(try await failure([HeldPictures.images]).1 == 64)
            #expect(try await failure(["pictures="]).1 == 64)
            #expect(try await failure(["pictures=a", "pictures=b"]).1 == 64)
            #expect(try await failure(["pictures=\(folder.path(of: "none"))"]).0 == "io.not-found")
            // The folder above, and a file that is no archive.
            let above = try await failure(["pictures=\(HeldPictures.images)/.."])
            #expect(above.0 == "evaluation.file-missing", "\(above.2)")
            #expect(try await failure(["pictures=\(suite)"]).0 == "io.not-a-file")

            let archive = try await Self.pack("x.zip", in: folder)
            let whole = try await failure(["pictures=\(archive)"])
            #expect(whole.0 == "evaluation.file-missing", "\(whole.2)")
            let sound = try Data(contentsOf: URL(filePath: archive))
            for (name, bytes) in [
                ("truncated.zip", sound.dropLast(100)), ("extended.zip", sound + [0, 1, 2]),
            ] {
                let path = try folder.write([UInt8](bytes), to: name)
                let run = try await failure(["pictures=\(path)/images"])
                #expect(run.0?.hasPrefix("archive.") == true, "\(run.2)")
                #expect(run.1 == 65)
            }
            // A member that cannot be decoded is named, and not its copy.
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "bad"),
                withIntermediateDirectories: true
            )
            try FileManager.default.copyItem(
                atPath: HeldPictures.images,
                toPath: folder.path(of: "bad/images")
            )
            try folder.write([1, 2, 3], to: "bad/images/val/Zebra/7.png")
            let bad = folder.path(of: "bad.tar")
            let tar = try await ProgramRun("tar", ["-cf", bad, "-C", folder.path(of: "bad"), "."])
            try #require(tar.status == 0)
            let run = try await failure(["pictures=\(bad)/images"])
            #expect(run.0 == "media.format-unknown")
            #expect(run.2.contains("bad.tar/images/val/Zebra/7.png"), "\(run.2)")
        }
    }

    /// Definitions that ship with the program are found by name.
    @Test func shippedDefinitionsAreFound() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try #require(try await zoo("pull", "ami/ball-drop").status == 0)
            for name in ["imagenet-1k-knn", "ssv2-16-frames", "intphys-dev"] {
                let run = try await Self.run(zoo, name, [])
                #expect(run.errorCode == "evaluation.data-missing", "\(run.output)")
            }
            let none = try await Self.run(zoo, "ssv2-17-frames", [])
            #expect(none.errorCode == "evaluation.suite-missing")
            #expect(none.output.contains("'ssv2-16-frames'"))
        }
    }
}
