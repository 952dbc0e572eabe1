// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooStore
import ZooTesting

/// `token create|list|revoke|log`, beside a process that has the accounts open as a server has.
@Suite struct TokenCommandTests {
    private static func now() -> Int { Int(Date().timeIntervalSince1970) }

    @Test func aTokenIsPrintedOnceAndRevokedWhileAServerRuns() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, state) = (Program(in: folder), folder.path(of: "state"))
            let first = try await zoo(
                "token",
                "create",
                "root",
                "--scope",
                "*:admin",
                "--state",
                state
            )
            #expect(first.status == 0, "\(first.errors)")
            let root = first.output.trimmingCharacters(in: .newlines)
            let server = try AccountDatabase(existingState: state)
            #expect(try server.token(for: root, at: Self.now())?.allows(.admin, in: "ami") == true)

            let second = try await zoo(
                "token",
                "create",
                "ci",
                "--scope",
                "ami:publish",
                "--scope",
                "lab:read",
                "--days",
                "30",
                "--state",
                state,
                "--json"
            )
            let secret = try second.text("token")
            let token = try #require(try server.token(for: secret, at: Self.now()))
            #expect(token.scopes.map(\.text) == ["ami:publish", "lab:read"])
            #expect(abs(try #require(token.expires) - Self.now() - 30 * 86_400) < 60)

            let list = try await zoo("token", "list", "--state", state)
            #expect(list.status == 0)
            for text in ["root", "ci", "ami:publish lab:read", "never", "user:"] {
                #expect(list.output.contains(text))
            }
            for run in [list, try await zoo("token", "log", "--state", state, "--json")] {
                #expect(!run.output.contains(secret) && !run.output.contains(root))
                #expect(run.output.contains("ci"))
            }
            #expect(try await zoo("token", "revoke", "ci", "--state", state).status == 0)
            #expect(try server.token(for: secret, at: Self.now()) == nil)
            #expect(try server.token(for: root, at: Self.now()) != nil)
            #expect(!(try await zoo("token", "list", "--state", state)).output.contains("ami:pub"))
            let log = try await zoo("token", "log", "--limit", "1", "--state", state)
            #expect(log.output.contains("token-revoke") && !log.output.contains("token-create"))
            withExtendedLifetime(server) {}
        }
    }

    /// Creates tokens at the same time.
    private static func create(
        _ names: [String],
        _ zoo: Program,
        _ state: String
    ) async throws -> [ProgramRun] {
        try await withThrowingTaskGroup(of: ProgramRun.self) { group in
            for name in names {
                group.addTask {
                    try await zoo(
                        "token",
                        "create",
                        name,
                        "--scope",
                        "*:read",
                        "--state",
                        state,
                        "--json"
                    )
                }
            }
            var runs: [ProgramRun] = []
            for try await run in group { runs.append(run) }
            return runs
        }
    }

    @Test func processesThatCreateTokensAtOnceLoseNone() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, state) = (Program(in: folder), folder.path(of: "state"))
            // Also the folder and the file do not exist yet.
            let same = [String](repeating: "same", count: 4)
            let runs = try await Self.create(same + ["other-1", "other-2"], zoo, state)
            try Self.check(runs, try AccountDatabase(existingState: state))
        }
    }

    private static func check(_ runs: [ProgramRun], _ accounts: AccountDatabase) throws {
        let names = try accounts.tokens().map(\.name)
        #expect(names.sorted() == ["other-1", "other-2", "same"])
        var failures = 0
        for run in runs {
            if run.status == 0 {
                let secret = try run.text("token")
                #expect(try accounts.token(for: secret, at: now()) != nil)
            } else {
                failures += 1
                #expect(run.errorCode == "accounts.token-name-taken", "\(run.output)")
                #expect(run.status == 77)
            }
        }
        #expect(failures == 3)
    }

    @Test func theStateIsRefusedInARegistryAndTheRemedyWorks() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, root) = (Program(in: folder), folder.path(of: "registry"))
            #expect(try await zoo("registry", "init", root).status == 0)
            func create(_ state: String) async throws -> ProgramRun {
                try await zoo(
                    "token",
                    "create",
                    "a",
                    "--scope",
                    "*:read",
                    "--state",
                    state,
                    "--json"
                )
            }
            let refused = try await create("\(root)/state")
            #expect(refused.errorCode == "accounts.state-served")
            #expect(refused.status == 77)
            #expect(!FileManager.default.fileExists(atPath: "\(root)/state"))
            #expect(refused.output.contains("\(root)-state"))
            #expect(try await create("\(root)-state").status == 0)
        }
    }

    @Test func aFolderThatOthersCanOpenIsRefusedAndTheRemedyWorks() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            try FileManager.default.createDirectory(
                atPath: state,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o755]
            )
            let arguments = ["create", "a", "--scope", "*:read", "--state", state]
            func create() async throws -> ProgramRun {
                try await ProgramRun(Program.executable, ["token"] + arguments)
            }
            let refused = try await create()
            #expect(refused.status == 77)
            let remedy = try #require(refused.errors.firstMatch(of: /run '(chmod [^']+)'/))
            #expect(try await ProgramRun("sh", ["-c", String(remedy.1)]).status == 0)
            #expect(try await create().status == 0)
        }
    }

    @Test func wrongCallsAreExplained() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, state) = (Program(in: folder), folder.path(of: "state"))
            let list = try await zoo("token", "list", "--state", state, "--json")
            #expect(list.errorCode == "accounts.state-missing")
            #expect(list.status == 66)
            #expect(!FileManager.default.fileExists(atPath: state))
            let remedy = try #require(list.output.firstMatch(of: /'ami-zoo (token create [^"]+)'"/))
            let command = "'\(Program.executable)' \(remedy.1)"
            #expect(try await ProgramRun("sh", ["-c", command]).status == 0)
            for (arguments, code) in [
                (["revoke", "nobody"], "accounts.token-unknown"),
                (["create", "a", "--scope", "ami"], "accounts.token-invalid"),
                (["create", "a b", "--scope", "*:read"], "accounts.token-invalid"),
                (["create", "root", "--scope", "*:read"], "accounts.token-name-taken"),
            ] {
                let run = try await ProgramRun(
                    Program.executable,
                    ["token"] + arguments + ["--state", state, "--json"]
                )
                #expect(run.errorCode == code)
            }
            let taken = try await zoo(
                "token",
                "create",
                "root",
                "--scope",
                "*:read",
                "--state",
                state
            )
            let revoke = try #require(taken.errors.firstMatch(of: /run 'ami-zoo ([^']+)'/))
            let words = revoke.1.split(separator: " ").map(String.init)
            let run = try await ProgramRun(Program.executable, words + ["--state", state])
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                try await zoo("token", "create", "root", "--scope", "*:read", "--state", state)
                    .status
                    == 0
            )
            for days in ["0", "-1", "36501", "x"] {
                let run = try await zoo(
                    "token",
                    "create",
                    "b",
                    "--scope",
                    "*:read",
                    "--days=\(days)",
                    "--state",
                    state
                )
                #expect(run.status == 64)
            }
            #expect(try await zoo("token", "create", "b", "--state", state).status == 64)
        }
    }
}
