// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore

/// `ami-zoo token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Manage the access tokens of a registry server.",
        subcommands: [
            TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self,
            TokenLogCommand.self,
        ]
    )
}

/// The state folder of a server.
struct StateOptions: ParsableArguments {
    @Option(help: "The state folder of the server, which is outside the registry folder.")
    var state: String

    /// The absolute path.
    private var path: String { FileSystem.absolute(state) }

    /// Uses the accounts, and creates missing ones.
    func creating<Result: Sendable>(
        _ body: @escaping @Sendable (AccountDatabase) throws -> Result
    ) async throws -> Result {
        try await BlockingWork.run { [path] _ in try body(try AccountDatabase(state: path)) }
    }

    /// Uses the accounts, which exist.
    func accounts<Result: Sendable>(
        _ body: @escaping @Sendable (AccountDatabase) throws -> Result
    ) async throws -> Result {
        try await BlockingWork.run { [path] _ in
            try body(try AccountDatabase(existingState: path))
        }
    }
}

/// `ami-zoo token create`.
struct TokenCreateCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a token and print it; it cannot be printed again.",
        discussion: "The first token of a server is usually one with the scope '*:admin'."
    )

    @Argument(help: "The name of the token.")
    var name: String

    @Option(
        parsing: .singleValue,
        help: "A right, NAMESPACE:LEVEL; namespace '*' is all, levels are read, publish, admin."
    )
    var scope: [String]

    @Option(help: "The number of days after which the token expires; default: never.")
    var days: Int?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let days, !(1...36_500).contains(days) {
            throw ValidationError("--days must be 1 to 36500")
        }
    }

    func report() async throws -> TokenCreateOutcome {
        let now = Clock.seconds()
        let new = try NewToken(
            name,
            try scope.map(TokenScope.init(parsing:)),
            expires: days.map { now + $0 * 86_400 },
            creator: MachineUser.subject
        )
        let created = try await state.creating { try $0.createToken(new, at: now) }
        return TokenCreateOutcome(secret: created.secret, token: created.token)
    }
}

struct TokenCreateOutcome: Report {
    let secret: String
    let token: AccountToken

    var json: JSONValue { .object(token.members.merging(["token": .string(secret)]) { $1 }) }

    var text: String { secret }
}

extension AccountToken {
    /// The documented fields.
    fileprivate var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "name": .string(name), "scopes": .array(scopes.map { .string($0.text) }),
            "created": .string(Timestamp(secondsSince1970: created).text),
            "createdBy": .string(creator),
        ]
        if let expires { members["expires"] = .string(Timestamp(secondsSince1970: expires).text) }
        if let lastUsed {
            members["lastUsed"] = .string(Timestamp(secondsSince1970: lastUsed).text)
        }
        return members
    }
}

/// `ami-zoo token list`.
struct TokenListCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tokens that are not revoked."
    )

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> TokenListOutcome {
        TokenListOutcome(
            tokens: try await state.accounts { try $0.tokens() },
            now: Clock.seconds()
        )
    }
}

struct TokenListOutcome: Report {
    let tokens: [AccountToken]
    let now: Int

    var json: JSONValue { ["tokens": .array(tokens.map { .object($0.members) })] }

    var text: String {
        guard !tokens.isEmpty else { return "there are no tokens" }
        return Table.text(
            ["NAME", "SCOPES", "CREATED", "CREATED BY", "EXPIRES", "LAST USED"],
            tokens.map { token in
                [
                    token.name, token.scopes.map(\.text).joined(separator: " "),
                    Timestamp(secondsSince1970: token.created).text, token.creator,
                    token.expires.map(expiry) ?? "never",
                    token.lastUsed.map { Timestamp(secondsSince1970: $0).text } ?? "never",
                ]
            }
        )
    }

    private func expiry(_ date: Int) -> String {
        Timestamp(secondsSince1970: date).text + (date <= now ? " (expired)" : "")
    }
}

/// `ami-zoo token revoke`.
struct TokenRevokeCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a token; a running server refuses it from then on."
    )

    @Argument(help: "The name of the token.")
    var name: String

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> TokenRevokeOutcome {
        let user = MachineUser.subject
        try await state.accounts { [name] in
            try $0.revoke(name, by: user, at: Clock.seconds())
        }
        return TokenRevokeOutcome(name: name)
    }
}

struct TokenRevokeOutcome: Report {
    let name: String

    var json: JSONValue { ["name": .string(name)] }
    var text: String { "the token '\(name)' is revoked" }
}

/// `ami-zoo token log`.
struct TokenLogCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "List who changed what on the server, newest first."
    )

    @Option(help: "The largest number of lines to print, 1 to 100000.")
    var limit = 100

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...100_000).contains(limit) else {
            throw ValidationError("--limit must be 1 to 100000")
        }
    }

    func report() async throws -> TokenLogOutcome {
        TokenLogOutcome(records: try await state.accounts { [limit] in try $0.audit(limit: limit) })
    }
}

struct TokenLogOutcome: Report {
    let records: [AuditRecord]

    var json: JSONValue {
        [
            "records": .array(
                records.map { record in
                    [
                        "date": .string(Timestamp(secondsSince1970: record.date).text),
                        "subject": .string(record.subject), "action": .string(record.action),
                        "target": .string(record.target),
                    ]
                }
            )
        ]
    }

    var text: String {
        guard !records.isEmpty else { return "nothing was changed" }
        return Table.text(
            ["DATE", "BY", "ACTION", "TARGET"],
            records.map { record in
                [
                    Timestamp(secondsSince1970: record.date).text, record.subject, record.action,
                    record.target,
                ]
            }
        )
    }
}
