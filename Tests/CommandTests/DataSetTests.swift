// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Data sets are packed, published, pulled and verified as models are.
@Suite struct DataSetTests {
    /// The registries a data set passes through.
    enum Place: String, CaseIterable, CustomTestStringConvertible {
        case folder, server, docker
        var testDescription: String { rawValue }

        func with(
            _ zoo: Program,
            _ folder: TemporaryFolder,
            _ body: (String) async throws -> Void
        ) async throws {
            let root = folder.path(of: "place")
            switch self {
            case .docker:
                try await DockerRegistryServer.with { try await body($0.url) }
            case .folder:
                try #require(try await zoo("registry", "init", root).status == 0)
                try await body(root)
            case .server:
                try #require(try await zoo("registry", "init", root).status == 0)
                try await Serving.with(root, zoo, folder, body)
            }
        }
    }

    @Test(arguments: Place.allCases, DataSetSource.Form.allCases)
    func aDataSetMakesTheRoundTrip(place: Place, form: DataSetSource.Form) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(form, with: zoo, in: folder)
            let layout = folder.path(of: "layout")
            let packed = try await source.pack(into: layout)
            try #require(packed.status == 0, "\(packed.output)\(packed.errors)")
            #expect(try packed.text("kind") == "dataset")
            #expect(try packed.text("reference") == "\(source.name):1.0.0")
            let digest = try packed.text("digest")
            try await place.with(zoo, folder) { address in
                let registry = ["--registry", address]
                func run(_ arguments: String...) async throws -> ProgramRun {
                    let run = try await ProgramRun(
                        Program.executable,
                        arguments + ["--json"],
                        environment: zoo.environment
                    )
                    #expect(run.status == 0, "\(arguments): \(run.output)\(run.errors)")
                    return run
                }
                let published = try await run("publish", layout, "--registry", address)
                let reports = try published.document.objects("releases", maximum: 2)
                #expect(reports.map { $0.value("kind") } == [.string("dataset")])
                for command in ["show", "versions"] {
                    let told = try await run(command, source.name, "--registry", address)
                    #expect(try told.text("kind") == "dataset")
                }
                let pulled = try await run("pull", source.name, "--registry", address)
                #expect(try pulled.text("kind") == "dataset")
                #expect(try pulled.text("digest") == digest)
                let path = try pulled.text("path")
                #expect(try await source.isEqual(to: path))
                for options in [[], ["--deep"], registry] {
                    let verified = try await ProgramRun(
                        Program.executable,
                        ["verify", source.name, "--json"] + options,
                        environment: zoo.environment
                    )
                    #expect(verified.status == 0, "\(verified.output)")
                    #expect(try verified.text("kind") == "dataset")
                }

                // Every byte of a changed file is noticed, and repair restores it.
                let file = try #require(
                    try FileManager.default.subpathsOfDirectory(atPath: path).filter {
                        $0.hasPrefix("train/") && $0.contains(".")
                    }.min()
                )
                var bytes = try Data(contentsOf: URL(filePath: "\(path)/\(file)"))
                bytes[bytes.count / 2] ^= 1
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o644],
                    ofItemAtPath: "\(path)/\(file)"
                )
                try bytes.write(to: URL(filePath: "\(path)/\(file)"))
                for options in [[], ["--deep"]] {
                    let verified = try await ProgramRun(
                        Program.executable,
                        ["verify", source.name, "--json"] + options,
                        environment: zoo.environment
                    )
                    #expect(verified.status == 1)
                    #expect(verified.output.contains(file))
                }
                let repaired = try await run("repair", source.name, "--registry", address)
                #expect(try repaired.text("kind") == "dataset")
                #expect(try repaired.document.strings("repaired", maximum: 9) == [file])
                #expect(try await source.isEqual(to: path))
                _ = try await run("verify", source.name, "--deep")
                if place != .docker {
                    let version = "\(source.name):1.0.0"
                    let yank = ["yank", version, "--reason", "x"] + registry
                    for arguments in [yank, ["unyank", version] + registry] {
                        let changed = try await ProgramRun(
                            Program.executable,
                            arguments,
                            environment: zoo.environment
                        )
                        #expect(changed.status == 0, "\(changed.errors)")
                    }
                }
                _ = try await run("remove", source.name)
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }
    }

    @Test func theRecordSaysWhatTheAuthorSaid() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.table, with: zoo, in: folder)
            let registry = try await source.registry()
            let shown = try await zoo("show", source.name, "--registry", registry, "--json")
            let bytes = JSONValue.object(try shown.document.object("record").members)
                .canonicalBytes
            let record = try DataSetRecord(canonical: bytes)
            #expect(record.splits.map(\.count) == [3, 2])
            #expect(
                record.splits.map { $0.files.map(\.text) } == [
                    ["train/a.safetensors"], ["test/0, first.png", "test/1.png"],
                ]
            )
            #expect(record.lineage.details["colours"] == ["red", "blue"])
            #expect(record.lineage.details["seed"] == .integer(20_260_131))
            #expect(
                Dictionary(grouping: record.files, by: \.archive).mapValues {
                    $0.map(\.path.text)
                } == [
                    "data": ["test/0, first.png", "test/1.png", "train/a.safetensors"],
                    "documents": ["README.md", "labels.csv"],
                ]
            )
            #expect(!shown.output.contains("dataset.yaml"))
            #expect(try JSONValue(canonical: bytes) == JSONValue(parsing: bytes))
            let text = try await zoo("show", source.name, "--registry", registry)
            #expect(text.output.contains("train: 3 samples in 1 file"))
            #expect(text.output.contains("generated, generator shapes.py, seed 20260131"))
            // Again: the same bytes; with another file: another release.
            let again = try await source.pack(into: registry)
            #expect(try again.document.value("alreadyThere") == .bool(true))
            try source.write("other", to: "test/1.png")
            #expect(try await source.pack(into: registry).errorCode == "registry.version-taken")
        }
    }

    @Test func listAndSearchTellDataSetsFromModels() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.folders, with: zoo, in: folder)
            let registry = try await source.registry()
            let copied = try await zoo(
                "registry",
                "mirror",
                Program.embedded,
                registry,
                "ami/ball-drop:1.1.0"
            )
            try #require(copied.status == 0, "\(copied.errors)")
            for command in [["list"], ["search", "a"]] {
                func names(_ options: String...) async throws -> [[String]] {
                    let run = try await ProgramRun(
                        Program.executable,
                        command + options + ["--registry", registry, "--json"],
                        environment: zoo.environment
                    )
                    return try ["models", "datasets"].map { field in
                        try run.document.objects(field, maximum: 9).map { object in
                            #expect(
                                try object.string("kind")
                                    == (field == "models" ? "model" : "dataset")
                            )
                            return try object.string("name")
                        }
                    }
                }
                if command == ["list"] {
                    #expect(try await names() == [["ami/ball-drop"], [source.name]])
                }
                #expect(try await names("--kind", "model") == [["ami/ball-drop"], []])
                let data = command == ["list"] ? [[], [source.name]] : [[], []]
                #expect(try await names("--kind", "dataset") == data)
                #expect(try await names("--family", "vjepa2") == [["ami/ball-drop"], []])
            }
            let found = try await zoo("search", "shapes", "--registry", registry)
            #expect(found.output.contains("\(source.name)  data set"))
            let list = try await zoo("list", "--registry", registry)
            #expect(list.output.contains("data set"))
            #expect(try await zoo("list", "--kind", "probe").status == 64)
        }
    }

    /// The commands that keep a registry, and a file that carries it.
    @Test func registriesKeepDataSets() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.table, with: zoo, in: folder)
            let registry = try await source.registry()
            let (mirror, imported) = (folder.path(of: "mirror"), folder.path(of: "imported"))
            let tar = folder.path(of: "zoo.tar")
            for arguments in [
                ["registry", "check", registry], ["registry", "index", registry],
                ["registry", "check", registry], ["registry", "init", mirror],
                ["registry", "mirror", registry, mirror], ["registry", "check", mirror],
                ["registry", "export", tar, source.name, "--registry", mirror],
                ["registry", "init", imported],
                ["registry", "import", tar, "--registry", imported],
                ["registry", "check", imported], ["registry", "gc", imported, "--grace", "0s"],
                ["yank", "\(source.name):1.0.0", "--reason", "x", "--registry", imported],
                ["unyank", "\(source.name):1.0.0", "--registry", imported],
                ["pull", source.name, "--registry", imported],
            ] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(arguments): \(run.output)\(run.errors)")
            }
            // Only a registry that knows the kind lists it as a data set after all that.
            let list = try await zoo("list", "--registry", imported, "--kind", "dataset", "--json")
            #expect(try list.document.objects("datasets", maximum: 2).count == 1)
            let cached = try await zoo("cache", "ls", "--json")
            #expect(
                try cached.document.objects("releases", maximum: 2).map { $0.value("kind") }
                    == [.string("dataset")]
            )
        }
    }

    /// An image layout becomes a registry, and another OCI tool copies it.
    @Test func anImageLayoutOfADataSetIsARegistryAndIsCopiedBySkopeo() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.folders, with: zoo, in: folder)
            let (layout, copy) = (folder.path(of: "layout"), folder.path(of: "copy"))
            try #require(try await source.pack(into: layout).status == 0)
            let skopeo = try await ProgramRun(
                "skopeo",
                ["copy", "oci:\(layout):\(source.name):1.0.0", "oci:\(copy):1.0.0"]
            )
            try #require(skopeo.status == 0, "\(skopeo.errors)")
            for arguments in [
                ["registry", "init", layout], ["registry", "index", layout],
                ["registry", "check", layout], ["registry", "init", folder.path(of: "other")],
                ["publish", copy, "--registry", folder.path(of: "other")],
                ["registry", "check", folder.path(of: "other")],
            ] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(arguments): \(run.output)\(run.errors)")
            }
            for root in [layout, folder.path(of: "other")] {
                let pulled = try await zoo("pull", source.name, "--registry", root, "--json")
                #expect(try pulled.text("kind") == "dataset", "\(pulled.output)")
            }
        }
    }

    @Test func aRestrictedLicenceNeedsConsent() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            var source = try DataSetSource(.folders, with: zoo, in: folder)
            source.description = source.description.replacingOccurrences(
                of: "CC0-1.0",
                with: "CC-BY-NC-4.0"
            )
            let pull = ["pull", source.name, "--registry", try await source.registry(), "--json"]
            for (consent, status) in [([], Int32(77)), (["--accept-licence", "CC-BY-NC-4.0"], 0)] {
                let run = try await ProgramRun(
                    Program.executable,
                    pull + consent,
                    environment: zoo.environment
                )
                #expect(run.status == status, "\(run.output)")
            }
        }
    }

    @Test func aLockFileNamesDataSets() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.folders, with: zoo, in: folder)
            let registry = try await source.registry()
            func project(_ arguments: String...) async throws -> ProgramRun {
                try await ProgramRun(
                    "env",
                    ["-C", folder.path, Program.executable] + arguments + ["--json"],
                    environment: zoo.environment
                )
            }
            let locked = try await project("lock", source.name, "--registry", registry)
            #expect(locked.status == 0, "\(locked.output)")
            #expect(
                try locked.document.objects("locked", maximum: 2).map { $0.value("kind") }
                    == [.string("dataset")]
            )
            let pulled = try await project("pull", "--locked")
            #expect(pulled.status == 0, "\(pulled.output)")
            let release = try #require(try pulled.document.objects("releases", maximum: 2).first)
            #expect(try await source.isEqual(to: try release.string("path")))
        }
    }

    /// What only models can do.
    @Test func aDataSetIsNoModel() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.folders, with: zoo, in: folder)
            let registry = try await source.registry()
            let part = try await zoo(
                "pull",
                source.name,
                "--only",
                "encoder",
                "--registry",
                registry,
                "--json"
            )
            #expect(part.errorCode == "release.component-not-found")
            #expect(part.output.contains("leave out --only"))
            let pulled = try await zoo("pull", source.name, "--registry", registry, "--json")
            let path = try pulled.text("path")
            let output = folder.path(of: "x.npy")
            let checkpoint = "\(Conversions.vectors)/../media/videos/h264.mp4"
            for place in [source.name, path] {
                for arguments in [
                    ["embed", place, Program.clip, "--output", output],
                    ["predict", place, Program.clip, "--output", output],
                    ["features", place, Program.clip, "--output", folder.path(of: "x.png")],
                    ["surprise", place, Program.clip], ["classify", place, checkpoint],
                    ["plan", place, Program.clip], ["inspect", source.name],
                    ["export", place, "--to", folder.path(of: "x.pt")],
                    ["verify", place, "--against", "\(path)/README.md"],
                ] {
                    let run = try await ProgramRun(
                        Program.executable,
                        arguments + ["--json"],
                        environment: zoo.environment
                    )
                    #expect(run.status == 64, "\(arguments): \(run.output)")
                    #expect(run.errorCode == "release.not-a-model", "\(arguments): \(run.output)")
                }
            }
            let remedy = try await zoo("list", "--kind", "model")
            #expect(remedy.status == 0)
            // A name stands for one kind.
            try source.write("kind: model", to: "ignored")
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            var other = source
            other.description = source.description.replacingOccurrences(
                of: source.name,
                with: "test/random"
            ).replacingOccurrences(of: "1.0.0", with: "2.0.0")
            try FileManager.default.removeItem(atPath: "\(source.path)/ignored")
            let taken = try await other.pack(into: model.registry)
            #expect(taken.errorCode == "registry.version-taken", "\(taken.output)")
            #expect(taken.output.contains("is a model, and the release is a data set"))
        }
    }
}
