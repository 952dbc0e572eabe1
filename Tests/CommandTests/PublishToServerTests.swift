// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `publish`, `login`, `pull` and skopeo against `serve`, as their users run them.
@Suite struct PublishToServerTests {
    @Test func tokensDecideWhoPublishesAndWhoReads() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let (registry, state) = (folder.path(of: "registry"), folder.path(of: "state"))
            #expect(try await zoo("registry", "init", registry).status == 0)
            let publisher = try await zoo.token("ci", scope: "ami:publish", state)
            let reader = try await zoo.token("reader", scope: "ami:read", state)
            let stranger = try await zoo.token("stranger", scope: "lab:publish", state)
            let options = ["--state", state]
            try await Serving.with(registry, zoo, folder, options: options) { url in
                func publish(_ token: String?) async throws -> ProgramRun {
                    try await ProgramRun(
                        Program.executable,
                        ["publish", Program.embedded, "--registry", url, "--json"],
                        environment: zoo.environment.merging(
                            token.map { ["AMI_ZOO_TOKEN": $0] } ?? [:]
                        ) { $1 }
                    )
                }
                let anonymous = try await publish(nil)
                #expect(anonymous.errorCode == "transport.login-required")
                for token in [reader, stranger] {
                    let refused = try await publish(token)
                    #expect(refused.status != 0)
                    #expect(refused.errorCode == "transport.forbidden")
                }
                let run = try await publish(publisher)
                #expect(run.status == 0, "\(run.output)")

                let host = String(url.dropFirst("http://".count))
                let source = "docker://\(host)/ami/ball-drop:1.1.0"
                func copy(_ credentials: String?, to: String) async throws -> ProgramRun {
                    try await ProgramRun(
                        "skopeo",
                        ["copy", "--src-tls-verify=false"]
                            + (credentials.map { ["--src-creds", "x:\($0)"] } ?? ["--src-no-creds"])
                            + [source, "oci:\(folder.path(of: to)):1.1.0"]
                    )
                }
                let read = try await copy(reader, to: "copy")
                #expect(read.status == 0, "\(read.errors)")
                #expect(try await copy(stranger, to: "denied").status != 0)
                #expect(try await copy(nil, to: "denied").status != 0)
                let back = try await ProgramRun(
                    "skopeo",
                    [
                        "copy", "--dest-tls-verify=false", "--dest-creds", "x:\(publisher)",
                        "oci:\(folder.path(of: "copy")):1.1.0", source,
                    ]
                )
                #expect(back.status == 0, "\(back.errors)")
                #expect(try await zoo("token", "revoke", "ci", "--state", state).status == 0)
                #expect(try await publish(publisher).errorCode == "transport.login-required")
            }
            let log = try await zoo("token", "log", "--state", state)
            #expect(log.output.contains("ci"))
            #expect(log.output.contains("ami/ball-drop:1.1.0"))
            #expect(try await zoo("registry", "check", registry).status == 0)
        }
    }

    /// Without accounts, a folder that cannot be written is served read-only, and is left as it is.
    @Test(
        .enabled("this machine lets nobody mount a file system of their own") {
            try await ProgramRun("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
                .status == 0
        }
    )
    func aFolderThatCannotBeWrittenIsServedReadOnly() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, registry) = (Program(in: folder), folder.path(of: "registry"))
            #expect(try await zoo("registry", "init", registry).status == 0)
            let script = """
                mount --bind "$root" "$root" && mount -o remount,ro,bind "$root" || exit 99
                timeout -s INT 2 "$zoo" serve --root "$root" --listen 127.0.0.1:0
                timeout -s INT 2 "$zoo" serve --root "$root" --listen 127.0.0.1:0 --state "$state"
                """
            let run = try await ProgramRun(
                "unshare",
                ["-rm", "sh", "-c", script],
                environment: zoo.environment.merging(
                    [
                        "zoo": Program.executable, "root": registry,
                        "state": folder.path(of: "state"),
                    ]
                ) { $1 }
            )
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == 2, "\(run.output)\(run.errors)")
            #expect(lines.last == "read-only")
            #expect(run.errors.contains("[io.not-permitted]"), "\(run.errors)")
            let names = try FileManager.default.contentsOfDirectory(atPath: registry)
            #expect(!names.contains(".uploads"))
        }
    }

    /// Client and server are killed at 12 points of a publication; each time the next one completes.
    @Test func aKilledPublicationLosesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            var outcomes: [String: Int] = [:]
            for delay in 0..<12 {
                let registry = folder.path(of: "registry-\(delay)")
                #expect(try await zoo("registry", "init", registry).status == 0)
                try await Serving.with(registry, zoo, folder) { url in
                    let publish = try zoo.start(
                        ["publish", Program.embedded, "--registry", url, "--timeout", "1"],
                        output: folder.path(of: "publish")
                    )
                    try await Task.sleep(for: .milliseconds(40 + 20 * delay))
                    // The end of the closure kills the server.
                    outcomes[publish.isRunning ? "interrupted" : "complete", default: 0] += 1
                    await publish.kill()
                }
                let check = try await zoo("registry", "check", registry, "--json")
                let status = try check.text("status")
                #expect(status == "passed", "\(delay): \(check.output)")
                try await Serving.with(registry, zoo, folder) { url in
                    let again = try await zoo("publish", Program.embedded, "--registry", url)
                    #expect(again.status == 0, "\(delay): \(again.errors)")
                    let versions = try await zoo(
                        "versions",
                        "ami/ball-drop",
                        "--registry",
                        url
                    )
                    #expect(versions.output.contains("1.0.0") && versions.output.contains("1.1.0"))
                }
            }
            print("publications when they were killed: \(outcomes)")
            #expect(outcomes["interrupted", default: 0] > 0)
        }
    }

    /// Versions are yanked and channels changed through a server as in its folder; refusals keep their code.
    @Test func versionsAreYankedThroughTheServer() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let (registry, state) = (folder.path(of: "registry"), folder.path(of: "state"))
            #expect(try await zoo("registry", "init", registry).status == 0)
            var tokens: [String: String] = [:]
            for (name, scope) in [("ci", "ami:publish"), ("reader", "ami:read")] {
                tokens[name] = try await zoo.token(name, scope: scope, state)
            }
            let options = ["--state", state]
            try await Serving.with(registry, zoo, folder, options: options) { url in
                func run(_ name: String, _ arguments: String...) async throws -> ProgramRun {
                    try await ProgramRun(
                        Program.executable,
                        arguments + ["--registry", url, "--json"],
                        environment: zoo.environment.merging(
                            ["AMI_ZOO_TOKEN": tokens[name] ?? ""]
                        ) { $1 }
                    )
                }
                #expect(try await run("ci", "publish", Program.embedded).status == 0)
                let newest = "ami/ball-drop:1.1.0"
                let reason = "wrong units"
                let denied = try await run("reader", "yank", newest, "--reason", reason)
                #expect(denied.errorCode == "server.access-denied", "\(denied.output)")
                let other = "\(newest)@sha256:\(String(repeating: "0", count: 64))"
                let wrong = try await run("ci", "yank", other, "--reason", reason)
                #expect(wrong.errorCode == "registry.digest-mismatch")
                let missing = try await run("ci", "yank", "ami/ball-drop:9.0.0", "--reason", "x")
                #expect(missing.errorCode == "registry.version-not-found")
                #expect(missing.status == 66)

                let yank = try await run("ci", "yank", newest, "--reason", reason)
                #expect(yank.status == 0, "\(yank.output)")
                #expect(yank.output.contains(reason))
                let versions = try await run("reader", "versions", "ami/ball-drop")
                #expect(versions.output.contains(reason))
                #expect(try await run("ci", "unyank", newest).status == 0)
                let channel = try await run(
                    "ci",
                    "channel",
                    "ami/ball-drop",
                    "tested",
                    "--add",
                    "1.0.0"
                )
                #expect(channel.status == 0)
                #expect(try channel.document.value("versions") == ["1.0.0"])
            }
            let log = try await zoo("token", "log", "--state", state)
            for action in ["yank", "unyank", "channel", "publish"] {
                #expect(log.output.contains(action))
            }
            let versions = try await zoo("versions", "ami/ball-drop", "--registry", registry)
            #expect(versions.output.contains("tested"))
            #expect(try await zoo("registry", "check", registry).status == 0)
            // A static server cannot do it.
            try await Serving.with(registry, zoo, folder, options: ["--read-only"]) { url in
                let run = try await zoo(
                    "unyank",
                    "ami/ball-drop:1.0.0",
                    "--registry",
                    url,
                    "--json"
                )
                #expect(run.errorCode == "server.access-denied")
            }
        }
    }
}

extension Program {
    /// Creates an access token and returns it.
    func token(
        _ name: String,
        scope: String,
        _ state: String
    ) async throws -> String {
        let run = try await self("token", "create", name, "--scope", scope, "--state", state)
        #expect(run.status == 0, "\(run.errors)")
        return run.output.trimmingCharacters(in: .newlines)
    }
}
