// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooTrust

/// `ami-zoo keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Manage the keys that sign models.",
        subcommands: [
            KeysNewCommand.self, KeysListCommand.self, KeysExportCommand.self,
            KeysRevokeCommand.self,
        ]
    )
}

/// `ami-zoo keys new`.
struct KeysNewCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a key on the curve P-256.",
        discussion: """
            The private key lies in ~/.config/ami-zoo/keys, in a file that only you can read. Keep a copy \
            where others have no access: a lost key cannot be made again.
            """
    )

    @Argument(help: "The name of the key on this machine.")
    var name: String

    @Flag(
        help: "Encrypt the file with a passphrase, which is asked for, or AMI_ZOO_KEY_PASSPHRASE."
    )
    var encrypt = false

    @OptionGroup var output: OutputOptions

    func report() async throws -> KeyOutcome {
        let surroundings = Surroundings()
        let passphrase = encrypt ? try KeyPassphrase.new(surroundings) : nil
        let path = try surroundings.keyFolder
        let name = name
        return try await BlockingWork.run { _ in
            let key = try PrivateKey.generate()
            try KeyFolder(path).store(key, named: name, passphrase: passphrase)
            return KeyOutcome(name: name, key: key.publicKey, path: "\(path)/\(name).pem")
        }
    }
}

struct KeyOutcome: Report {
    let name: String
    let key: VerificationKey
    let path: String

    var json: JSONValue {
        ["name": .string(name), "key": .string(key.hint), "path": .string(path)]
    }

    var text: String {
        "made the key \(key.hint.prefix(12)): \(path)\n"
            + "give others its public half: ami-zoo keys export \(name)"
    }
}

/// `ami-zoo keys list`.
struct KeysListCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List your keys."
    )

    @OptionGroup var output: OutputOptions

    func report() async throws -> KeyListOutcome {
        let path = try Surroundings().keyFolder
        return try await BlockingWork.run { _ in
            KeyListOutcome(entries: try KeyFolder(path).entries())
        }
    }
}

struct KeyListOutcome: Report {
    let entries: [KeyFolder.Entry]

    var json: JSONValue {
        let keys: [JSONValue] = entries.map { entry in
            [
                "name": .string(entry.name), "key": .string(entry.key.hint),
                "revoked": entry.revoked.map { .string($0.text) } ?? .null,
            ]
        }
        return ["keys": .array(keys)]
    }

    var text: String {
        guard !entries.isEmpty else { return "no keys; 'ami-zoo keys new NAME' makes one" }
        return Table.text(
            ["NAME", "KEY", "REVOKED"],
            entries.map {
                [$0.name, String($0.key.hint.prefix(12)), $0.revoked?.text ?? ""]
            }
        )
    }
}

/// `ami-zoo keys export`.
struct KeysExportCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print the public half of a key in PEM form."
    )

    @Argument(help: "The name of the key.")
    var name: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> KeyExportOutcome {
        let path = try Surroundings().keyFolder
        let name = name
        return try await BlockingWork.run { _ in
            KeyExportOutcome(name: name, key: try KeyFolder(path).publicKey(named: name))
        }
    }
}

struct KeyExportOutcome: Report {
    let name: String
    let key: VerificationKey

    var json: JSONValue {
        ["name": .string(name), "key": .string(key.hint), "pem": .string(key.pem + "\n")]
    }

    var text: String { key.pem }
}

/// `ami-zoo keys revoke`.
struct KeysRevokeCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Refuse all signatures of a key on this machine.",
        discussion: """
            Nothing on this machine proves when a signature was made, so signatures that were made \
            before are refused too.
            """
    )

    @Argument(help: "The name of one of your keys, or a PEM file with a public key.")
    var key: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> KeyRevokeOutcome {
        let surroundings = Surroundings()
        let path = try surroundings.keyFolder
        let argument = KeyArgument(text: key, surroundings: surroundings)
        return try await BlockingWork.run { _ in
            let key = try argument.publicKey()
            let now = Timestamp(secondsSince1970: Clock.seconds())
            return KeyRevokeOutcome(key: key, isNew: try KeyFolder(path).revoke(key, at: now))
        }
    }
}

struct KeyRevokeOutcome: Report {
    let key: VerificationKey
    let isNew: Bool

    var json: JSONValue { ["key": .string(key.hint), "alreadyRevoked": .bool(!isNew)] }

    var text: String {
        isNew
            ? "revoked the key \(key.hint.prefix(12))"
            : "the key \(key.hint.prefix(12)) was revoked before"
    }
}
