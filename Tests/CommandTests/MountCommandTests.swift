// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `serve --mount` as the operator, a partner and skopeo use it.
@Suite struct MountCommandTests {
    /// The folders of a server with one mounted registry.
    private struct Folders {
        let main: String
        let partner: String
        let state: String
        let options: [String]

        init(_ folder: TemporaryFolder, _ zoo: Program) async throws {
            main = folder.path(of: "registry")
            partner = folder.path(of: "partner")
            state = folder.path(of: "state")
            options = ["--state", state, "--anonymous-read", "--mount", "partner=\(partner)"]
            for root in [main, partner] {
                #expect(try await zoo("registry", "init", root).status == 0)
            }
        }
    }

    private func token(
        _ zoo: Program,
        _ name: String,
        _ scope: String,
        _ state: String
    ) async throws -> String {
        let run = try await zoo("token", "create", name, "--scope", scope, "--state", state)
        #expect(run.status == 0, "\(run.errors)")
        return run.output.trimmingCharacters(in: .newlines)
    }

    /// Runs a command with a token in the environment.
    private func run(_ zoo: Program, _ token: String?, _ arguments: [String]) async throws
        -> ProgramRun
    {
        try await ProgramRun(
            Program.executable,
            arguments,
            environment: zoo.environment.merging(token.map { ["AMI_ZOO_TOKEN": $0] } ?? [:]) { $1 }
        )
    }

    @Test func everyCommandWorksThroughAMount() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let folders = try await Folders(folder, zoo)
            let main = try await token(zoo, "main", "*:admin", folders.state)
            let owner = try await token(zoo, "owner", "*:publish", "\(folders.state)/partner")
            let model = "ami/ball-drop"
            try await Serving.with(folders.main, zoo, folder, options: folders.options) { url in
                let registry = ["--registry", "\(url)/partner"]
                func succeeds(_ arguments: [String]) async throws -> ProgramRun {
                    let done = try await run(zoo, owner, arguments + registry)
                    #expect(done.status == 0, "\(arguments): \(done.output)\(done.errors)")
                    return done
                }
                _ = try await succeeds(["publish", Program.embedded])
                #expect(try await succeeds(["list"]).output.contains(model))
                #expect(try await succeeds(["search", "ball"]).output.contains(model))
                #expect(try await succeeds(["versions", model]).output.contains("1.1.0"))
                #expect(try await succeeds(["show", model]).output.contains("1.1.0"))
                _ = try await succeeds(["yank", "\(model):1.1.0", "--reason", "wrong units"])
                #expect(try await succeeds(["versions", model]).output.contains("wrong units"))
                _ = try await succeeds(["unyank", "\(model):1.1.0"])
                _ = try await succeeds(["channel", model, "tested", "--add", "1.0.0"])
                _ = try await succeeds(["pull", model])
                #expect(try await zoo("verify", model).status == 0)
                let copy = folder.path(of: "copy")
                #expect(try await zoo("registry", "init", copy).status == 0)
                let mirror = ["registry", "mirror", "\(url)/partner", copy]
                let mirrored = try await run(zoo, owner, mirror)
                #expect(mirrored.status == 0, "\(mirrored.errors)")
                #expect(try await zoo("registry", "check", copy).status == 0)

                // Nothing of it for others, and nothing at the root for it.
                for stranger in [nil, main] {
                    for command in [["pull", model], ["versions", model], ["list"]] {
                        let refused = try await run(zoo, stranger, command + registry)
                        #expect(refused.status != 0, "\(command)")
                        #expect(!refused.output.contains("1.1.0"))
                    }
                    let refused = try await run(
                        zoo,
                        stranger,
                        ["publish", Program.embedded] + registry
                    )
                    #expect(refused.status != 0)
                }
                let list = try await run(zoo, main, ["list", "--registry", url])
                #expect(list.status == 0 && !list.output.contains(model))
                let publish = ["publish", Program.embedded, "--registry", url]
                #expect(try await run(zoo, owner, publish).status != 0)
                #expect(try await run(zoo, main, publish).status == 0)
            }
            for root in [folders.main, folders.partner] {
                #expect(try await zoo("registry", "check", root).status == 0)
            }
            let log = try await zoo("token", "log", "--state", "\(folders.state)/partner")
            #expect(log.output.contains("owner") && log.output.contains("yank"))
            #expect(!log.output.contains("main"))
        }
    }

    @Test func aLoginAtAMountIsKeptBesideTheOneOfTheServer() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let folders = try await Folders(folder, zoo)
            let tokens = [
                "": try await token(zoo, "main", "ami:publish", folders.state),
                "/partner": try await token(zoo, "p", "ami:publish", "\(folders.state)/partner"),
            ]
            try await Serving.with(folders.main, zoo, folder, options: folders.options) { url in
                let host = url.dropFirst("http://".count)
                func login(_ path: String) async throws -> ProgramRun {
                    let script = "printf '%s' \(tokens[path] ?? "") | '\(Program.executable)' login"
                    return try await ProgramRun(
                        "sh",
                        ["-c", "\(script) \(host)\(path) --json"],
                        environment: zoo.environment
                    )
                }
                func publish(_ path: String) async throws -> ProgramRun {
                    try await zoo(
                        "publish",
                        Program.embedded,
                        "--registry",
                        "\(url)\(path)",
                        "--json"
                    )
                }
                let refused = try await publish("/partner")
                #expect(refused.errorCode == "transport.login-required", "\(refused.output)")
                #expect(refused.output.contains("ami-zoo login \(host)/partner"))
                for path in ["", "/partner"] {
                    let run = try await login(path)
                    #expect(try run.text("host") == "\(host)\(path)")
                    #expect(try run.document.value("verified") == true)
                }
                for path in ["", "/partner"] {
                    let run = try await publish(path)
                    #expect(run.status == 0, "\(path): \(run.output)")
                }
                // Without a login of its own, that of the host is tried.
                #expect(try await zoo("logout", "\(host)/partner").status == 0)
                #expect(try await publish("/partner").status != 0)
                #expect(try await publish("").status == 0)
            }
        }
    }

    @Test func skopeoCopiesInAndOut() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let folders = try await Folders(folder, zoo)
            let main = try await token(zoo, "main", "*:admin", folders.state)
            let state = "\(folders.state)/partner"
            let owner = try await token(zoo, "owner", "ami:publish", state)
            try await Serving.with(folders.main, zoo, folder, options: folders.options) { url in
                let host = String(url.dropFirst("http://".count))
                let image = "docker://\(host)/partner/ami/ball-drop:1.1.0"
                let layout = "oci:\(folder.path(of: "copy")):1.1.0"
                func skopeo(_ arguments: String...) async throws -> ProgramRun {
                    try await ProgramRun("skopeo", arguments)
                }
                let publish = ["publish", Program.embedded, "--registry", "\(url)/partner"]
                #expect(try await run(zoo, owner, publish).status == 0)
                let out = try await skopeo(
                    "copy",
                    "--src-tls-verify=false",
                    "--src-creds",
                    "x:\(owner)",
                    image,
                    layout
                )
                #expect(out.status == 0, "\(out.errors)")
                let back = try await skopeo(
                    "copy",
                    "--dest-tls-verify=false",
                    "--dest-creds",
                    "x:\(owner)",
                    layout,
                    image
                )
                #expect(back.status == 0, "\(back.errors)")
                let tags = try await skopeo(
                    "list-tags",
                    "--tls-verify=false",
                    "--creds",
                    "x:\(owner)",
                    "docker://\(host)/partner/ami/ball-drop"
                )
                #expect(tags.output.contains("1.1.0"), "\(tags.errors)")
                for credentials in [["--creds", "x:\(main)"], ["--no-creds"]] {
                    let refused = try await ProgramRun(
                        "skopeo",
                        ["inspect", "--raw", "--tls-verify=false"] + credentials + [image]
                    )
                    #expect(refused.status != 0 && refused.output.isEmpty)
                }
                // From the mount to the root: the blobs travel, whoever holds both tokens.
                let promoted = try await skopeo(
                    "copy",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                    "--src-creds",
                    "x:\(owner)",
                    "--dest-creds",
                    "x:\(main)",
                    image,
                    "docker://\(host)/ami/ball-drop:1.1.0"
                )
                #expect(promoted.status == 0, "\(promoted.errors)")
            }
            #expect(try await zoo("registry", "check", folders.main).status == 0)
        }
    }

    @Test func wrongMountsAreExplained() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let folders = try await Folders(folder, zoo)
            func serve(_ arguments: [String]) async throws -> ProgramRun {
                try await ProgramRun(
                    "timeout",
                    ["20", Program.executable, "serve", "--root", folders.main]
                        + ["--listen", "127.0.0.1:0", "--json"] + arguments,
                    environment: zoo.environment
                )
            }
            let mount = "partner=\(folders.partner)"
            let stateless = try await serve(["--mount", mount])
            #expect(stateless.status == 64)
            #expect(stateless.errors.contains("--mount requires --state"))
            for (mounts, code) in [
                (["partner"], "server.mount-malformed"), (["=x"], "server.mount-malformed"),
                (["v2=\(folders.partner)"], "server.mount-malformed"),
                (["A=\(folders.partner)"], "server.mount-malformed"),
                ([mount, mount], "server.mount-conflict"),
                (["partner=\(folders.main)"], "server.mount-conflict"),
                (["partner=\(folders.partner)/none"], "server.root-invalid"),
            ] {
                let options = mounts.flatMap { ["--mount", $0] }
                let run = try await serve(["--state", folders.state] + options)
                #expect(run.errorCode == code, "\(mounts): \(run.output)")
            }
            let publish = ["publish", Program.embedded, "--registry", folders.main]
            #expect(try await run(zoo, nil, publish).status == 0)
            let taken = try await serve(
                ["--state", folders.state, "--mount", "ami=\(folders.partner)"]
            )
            #expect(taken.errorCode == "server.mount-conflict")
            #expect(taken.output.contains("'ami'"))
        }
    }
}
