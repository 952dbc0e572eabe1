// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `publish`, `yank` and `pull` with a signed registry that `serve` serves.
@Suite struct SignedServerTests {
    @Test(arguments: [[], ["--anonymous-read"]])
    func aPublisherSignsWhatTheServerTakes(options: [String]) async throws {
        try await TemporaryFolder.with { folder in
            let (owner, user) = (
                Program(in: folder, store: "owner"), Program(in: folder, store: "user")
            )
            let (registry, state) = (folder.path(of: "registry"), folder.path(of: "state"))
            for arguments in [
                ["registry", "init", registry], ["keys", "new", "owner"],
                ["keys", "new", "stranger"],
                ["trust", "init", registry, "--state", state, "--key", "owner"],
            ] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: owner.environment
                )
                try #require(run.status == 0, "\(run.errors)")
            }
            let token = try await owner.token("ci", scope: "ami:publish", state)
            let options = ["--state", state] + options
            try await Serving.with(registry, owner, folder, options: options) { url in
                func run(_ zoo: Program, _ arguments: String...) async throws -> ProgramRun {
                    try await ProgramRun(
                        Program.executable,
                        arguments + ["--json"],
                        environment: zoo.environment.merging(["AMI_ZOO_TOKEN": token]) { $1 }
                    )
                }
                func publish(_ options: String...) async throws -> ProgramRun {
                    try await ProgramRun(
                        Program.executable,
                        ["publish", Program.embedded, "--registry", url, "--json"] + options,
                        environment: owner.environment.merging(["AMI_ZOO_TOKEN": token]) { $1 }
                    )
                }
                #expect(try await publish().errorCode == "trust.signed-push-required")
                #expect(try await publish("--sign-with", "owner").errorCode == "trust.no-root")
                let root = "\(registry)/tuf/1.root.json"
                for zoo in [owner, user] {
                    let added = try await run(zoo, "trust", "add", url, "--root", root)
                    #expect(added.status == 0, "\(added.output)")
                }
                let stranger = try await publish("--sign-with", "stranger")
                #expect(stranger.errorCode == "trust.signer-required", "\(stranger.output)")
                let published = try await publish("--sign-with", "owner")
                #expect(published.status == 0, "\(published.output)")
                let again = try await publish("--sign-with", "owner")
                #expect(again.status == 0, "\(again.output)")
                #expect(again.output.contains(#""alreadyThere": true"#), "\(again.output)")

                let pulled = try await run(user, "pull", "ami/ball-drop", "--registry", url)
                #expect(pulled.status == 0, "\(pulled.output)")
                let verified = try await run(user, "verify", "ami/ball-drop")
                #expect(try verified.document.object("anchor").string("kind") == "tuf")

                let bare = try await run(
                    owner,
                    "yank",
                    "ami/ball-drop:1.0.0",
                    "--reason",
                    "x",
                    "--registry",
                    url
                )
                #expect(bare.errorCode == "trust.signer-required", "\(bare.output)")
                let yanked = try await run(
                    owner,
                    "yank",
                    "ami/ball-drop:1.0.0",
                    "--reason",
                    "x",
                    "--registry",
                    url,
                    "--sign-with",
                    "owner"
                )
                #expect(yanked.status == 0, "\(yanked.output)")
                let versions = try await run(user, "versions", "ami/ball-drop", "--registry", url)
                #expect(versions.output.contains(#""reason": "x""#), "\(versions.output)")
            }
            let check = try await owner("registry", "check", registry)
            #expect(check.status == 0, "\(check.output)")
        }
    }
}
