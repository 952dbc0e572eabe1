// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooTransport

/// `ami-zoo login`.
struct LoginCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Store a token for a registry.",
        discussion: """
            Reads the token from standard input: 'ami-zoo login HOST < token.txt'. The registry must \
            accept it. The token is stored in a file that only you can read. AMI_ZOO_TOKEN \
            overrides it, and logins of Docker and Podman are used too. A registry with a path in its \
            address has a token of its own; without one, that of the host is used.
            """
    )

    @Argument(help: "The registry, such as registry.example.org or http://127.0.0.1:8080.")
    var host: String

    @Option(help: "The user name, for a registry that needs one.")
    var user = "token"

    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> LoginOutcome {
        if Console.isInputTerminal { Console.note("paste the token, then press Return") }
        guard let secret = Console.secretLine(), !secret.isEmpty else {
            throw ZooError(
                .loginRequired,
                "standard input has no token",
                remedy: "run 'ami-zoo login \(host) < FILE' with the token in FILE"
            )
        }
        let surroundings = Surroundings()
        let base = host.contains("://") ? host : RegistryLocation(host: host).description
        let authorization = try OCIAuthorization(
            base: base,
            transport: try surroundings.transport(network),
            credentials: RegistryCredentials(user: user, secret: secret)
        )
        let isVerified = try await Interruption.cancelling { try await authorization.verify() }
        let name = LogoutCommand.address(of: host)
        try surroundings.credentialStore.store(
            RegistryCredentials(user: user, secret: secret),
            of: name
        )
        return LoginOutcome(host: name, isVerified: isVerified)
    }
}

struct LoginOutcome: Report {
    let host: String
    let isVerified: Bool

    var json: JSONValue { ["host": .string(host), "verified": .bool(isVerified)] }

    var text: String {
        isVerified
            ? "logged in to \(host)"
            : "stored the token for \(host); the registry asks for none, so it was not checked"
    }
}

/// `ami-zoo logout`.
struct LogoutCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Remove the stored token of a registry."
    )

    @Argument(help: "The registry, as given to 'ami-zoo login'.")
    var host: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> LogoutOutcome {
        let name = Self.address(of: host)
        let existed = try Surroundings().credentialStore.store(nil, of: name)
        return LogoutOutcome(host: name, existed: existed)
    }

    /// The host, port and path of an address, for which credentials are stored.
    static func address(of text: String) -> String {
        let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        return rest.split(separator: "/").joined(separator: "/")
    }
}

struct LogoutOutcome: Report {
    let host: String
    let existed: Bool

    var json: JSONValue { ["host": .string(host), "removed": .bool(existed)] }

    var text: String {
        existed ? "removed the token of \(host)" : "there is no stored token of \(host)"
    }
}
