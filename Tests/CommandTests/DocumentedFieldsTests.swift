// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Holds the table of fields in `docs/commands.md` against what commands print.
@Suite struct DocumentedFieldsTests {
    /// The fields of a command: those that are always there, and all.
    private struct Fields {
        var always: Set<String> = []
        var all: Set<String> = []
    }

    /// The rows of the first table.
    private func documented() throws -> [String: Fields] {
        let page = try String(contentsOfFile: "\(Program.root)docs/commands.md", encoding: .utf8)
        var rows: [String: Fields] = [:]
        let table = page.components(separatedBy: "| command | fields |")[1]
            .components(separatedBy: "\n\n")[0]
        for line in table.split(separator: "\n").dropFirst() {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            var fields = Fields()
            for item in cells[1].components(separatedBy: ", ") {
                let name = item.trimmingCharacters(in: CharacterSet(charactersIn: "`?"))
                fields.all.insert(name)
                if !item.hasSuffix("?") { fields.always.insert(name) }
            }
            rows[cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`"))] = fields
        }
        return rows
    }

    @Test func everyCommandPrintsTheFieldsOfItsRow() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let rows = try documented()
            var seen: Set<String> = []
            let registry = folder.path(of: "registry")
            let release = "\(Program.root)models/ami/ball-drop/release"
            try FileManager.default.copyItem(atPath: release, toPath: folder.path(of: "model"))
            try FileManager.default.copyItem(
                atPath: "\(Program.root)models/ami/ball-drop/model.yaml",
                toPath: folder.path(of: "model/model.yaml")
            )
            // Of a model that claims nothing, only bytes and rules are checked.
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "plain"),
                withIntermediateDirectories: true
            )
            try FileManager.default.copyItem(
                atPath: Program.clip,
                toPath: folder.path(of: "plain/model.safetensors")
            )
            try folder.write(Array(#"{"model_type":"sample"}"#.utf8), to: "plain/config.json")
            try folder.write(Array(PackedModel.description.utf8), to: "plain/model.yaml")
            try Conversions.writeCatalogue(in: folder)
            let (probe, arm) = (folder.path(of: "probe"), folder.path(of: "arm"))
            let trajectory = folder.path(of: "trajectory.safetensors")
            try Conversions.writeTrajectory(to: trajectory)
            let state = ["--state", folder.path(of: "state")]
            let owned = [folder.path(of: "other"), "--state", folder.path(of: "trust-state")]
            let sample = try await EvaluationSample(with: zoo, in: folder)
            let runs: [(String, [String])] = [
                ("pull", ["ami/ball-drop"]), ("list", []),
                ("search", ["ball"]), ("show", ["ami/ball-drop"]),
                ("versions", ["ami/ball-drop"]), ("verify", ["ami/ball-drop"]),
                ("repair", ["ami/ball-drop"]),
                ("inspect", ["ami/ball-drop"]),
                ("embed", ["ami/ball-drop", Program.clip, "--output", folder.path(of: "x.npy")]),
                (
                    "predict",
                    [
                        "ami/ball-drop", Program.clip, "--read-out", "trajectory",
                        "--svg", folder.path(of: "x.svg"), "--output", folder.path(of: "y.npy"),
                    ]
                ),
                (
                    "features",
                    ["ami/ball-drop", Program.clip, "--output", folder.path(of: "x.png")]
                ),
                ("surprise", ["ami/ball-drop", Program.clip, "--svg", folder.path(of: "y.svg")]),
                (
                    "evaluate",
                    [
                        "ami/ball-drop", "--suite", sample.path("trajectory"), "--registry",
                        sample.registry,
                    ]
                ),
                ("validate", [folder.path(of: "plain"), "--registry", sample.registry]),
                ("convert", Conversions.probe + ["--to", probe]),
                ("classify", [probe, "\(Conversions.vectors)/../media/videos/h264.mp4"]),
                ("convert", Conversions.arm + ["--to", arm]),
                ("plan", [arm, trajectory, "--samples", "12", "--svg", folder.path(of: "z.svg")]),
                ("convert", Conversions.vjepa2 + ["--to", folder.path(of: "converted")]),
                ("export", [folder.path(of: "converted"), "--to", folder.path(of: "x.pt")]),
                ("import", Conversions.imported(in: folder) + ["--to", folder.path(of: "got")]),
                ("registry init", [registry]),
                ("pack", [folder.path(of: "model"), "--output", registry, "--unvalidated", "x"]),
                ("registry index", [registry]), ("registry check", [registry]),
                ("registry init", [folder.path(of: "other")]),
                ("keys new", ["lab"]), ("keys list", []), ("keys export", ["lab"]),
                ("sign", [folder.path(of: "plain"), "--key", "lab"]), ("keys revoke", ["lab"]),
                ("publish", [registry, "--registry", folder.path(of: "other")]),
                ("registry mirror", [registry, folder.path(of: "other")]),
                ("registry export", [folder.path(of: "zoo.tar"), "--registry", registry]),
                (
                    "registry import",
                    [folder.path(of: "zoo.tar"), "--registry", folder.path(of: "other")]
                ),
                ("logout", ["registry.example"]),
                ("keys new", ["owner"]), ("trust init", owned + ["--key", "owner"]),
                ("trust show", [folder.path(of: "other")]),
                ("trust add", [folder.path(of: "other"), "--first-use"]), ("trust list", []),
                ("trust remove", [folder.path(of: "other")]),
                ("trust delegate", owned + ["ami", "--key", "owner"]),
                ("trust rotate", owned + ["--online", "--sign-with", "owner"]),
                ("trust renew", owned),
                (
                    "trust sign",
                    [folder.path(of: "other/tuf/1.targets.json"), "--key", "owner"]
                ),
                ("yank", ["ami/ball-drop:1.2.0", "--reason", "x", "--registry", registry]),
                ("unyank", ["ami/ball-drop:1.2.0", "--registry", registry]),
                (
                    "channel",
                    ["ami/ball-drop", "candidate", "--add", "1.2.0", "--registry", registry]
                ),
                ("registry delete", ["ami/ball-drop:1.2.0", "--registry", registry]),
                ("registry gc", [registry, "--grace", "0s"]), ("cache ls", []),
                ("cache du", []),
                ("lock", ["ami/ball-drop"]), ("pull --locked", []), ("cache gc", []),
                ("token create", ["ci", "--scope", "ami:publish", "--days", "9"] + state),
                ("token list", state), ("token log", state), ("token revoke", ["ci"] + state),
                ("remove", ["ami/ball-drop"]),
            ]
            func check(_ command: String, _ run: ProgramRun) throws {
                #expect(run.status == 0, "\(command): \(run.output)\(run.errors)")
                let found = Set(try run.document.members.keys)
                let fields = try #require(rows[command], "\(command)")
                seen.insert(command)
                #expect(found.isSubset(of: fields.all), "\(command)")
                #expect(found.isSuperset(of: fields.always), "\(command)")
            }
            for (command, arguments) in runs {
                let words = command.split(separator: " ").map(String.init)
                // The lock file is in the working folder.
                let isLock = command == "lock" || command == "pull --locked"
                try check(
                    command,
                    try await ProgramRun(
                        "env",
                        ["-C", isLock ? folder.path : "."] + [Program.executable] + words
                            + arguments + ["--json"],
                        environment: zoo.environment
                    )
                )
            }
            try await HostileServer.with { server in
                server.on("/v2/", .serving(ServedContent(Array("{}".utf8))))
                let login = "echo secret | '\(Program.executable)' login '\(server.url(""))' --json"
                try check(
                    "login",
                    try await ProgramRun("sh", ["-c", login], environment: zoo.environment)
                )
            }
            #expect(Set(rows.keys) == seen, "documented and not run")
        }
    }
}
