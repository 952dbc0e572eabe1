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
            func token(_ name: String, _ scope: String) async throws -> String {
                let run = try await zoo(
                    "token",
                    "create",
                    name,
                    "--scope",
                    scope,
                    "--state",
                    state
                )
                return run.output.trimmingCharacters(in: .newlines)
            }
            let publisher = try await token("ci", "ami:publish")
            let reader = try await token("reader", "ami:read")
            let stranger = try await token("stranger", "lab:publish")
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
}
