// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooTrust

/// `ami-zoo trust show`.
struct TrustShowCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the fingerprint, the keys and the expiry dates of a signed registry folder."
    )

    @Argument(help: "The registry folder.")
    var root: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustOverview {
        let path = FileSystem.absolute(root)
        return try await BlockingWork.run { _ in try TrustOverview(of: path) }
    }
}

/// The signed metadata of a registry folder.
struct TrustOverview: Report {
    fileprivate struct Role {
        let name: String
        let version: Int
        let expires: Timestamp
        let keys: RoleKeys
        let targets: Int?

        var json: JSONValue {
            var members: [String: JSONValue] = [
                "role": .string(name), "version": .integer(version),
                "expires": .string(expires.text),
                "threshold": .integer(keys.threshold),
                "keys": .array(hints.map { .string($0) }),
            ]
            if let targets { members["models"] = .integer(targets) }
            return .object(members)
        }

        var hints: [String] { keys.keys.values.map(\.hint).sorted() }
    }

    private let path: String
    private let fingerprint: ContentDigest
    private let roles: [Role]

    init(of root: String) throws {
        let documents = RegistryDocuments(root: root)
        guard let trust = try documents.description().trust else {
            throw ZooError(
                .trustAbsent,
                "'\(root)' is not signed",
                remedy: "sign it with 'ami-zoo trust init \(root) --state FOLDER --key KEY'"
            )
        }
        path = root
        fingerprint = trust.digest
        let repository = MetadataRepository(registry: root)
        let state = try repository.state()
        let keys = state.root.content
        var roles = [
            Role("root", state.root.content.header, keys.root),
            Role(
                "targets",
                state.targets.content.header,
                keys.targets,
                state.targets.content.targets.count
            ),
        ]
        for (role, authority) in state.targets.content.delegations.roles {
            let targets = try repository.targets(of: role, by: authority, in: state.snapshot)
                .content
            roles.append(Role("\(role)", targets.header, authority, targets.targets.count))
        }
        roles.append(Role("snapshot", state.snapshot.content.header, keys.snapshot))
        roles.append(Role("timestamp", state.timestamp.content.header, keys.timestamp))
        self.roles = roles
    }

    var json: JSONValue {
        [
            "path": .string(path), "fingerprint": .string(fingerprint.description),
            "roles": .array(roles.map(\.json)),
        ]
    }

    var text: String {
        "fingerprint \(fingerprint)\n"
            + Table.text(
                ["ROLE", "VERSION", "EXPIRES", "MODELS", "SIGNERS"],
                roles.map { role in
                    [
                        role.name, "\(role.version)", role.expires.text,
                        role.targets.map { "\($0)" } ?? "",
                        "\(role.keys.threshold) of "
                            + role.hints.map { String($0.prefix(12)) }.joined(separator: ", "),
                    ]
                }
            )
    }
}

extension TrustOverview.Role {
    fileprivate init(
        _ name: String,
        _ header: MetadataHeader,
        _ keys: RoleKeys,
        _ targets: Int? = nil
    ) {
        self.init(
            name: name,
            version: header.version,
            expires: header.expires,
            keys: keys,
            targets: targets
        )
    }
}
