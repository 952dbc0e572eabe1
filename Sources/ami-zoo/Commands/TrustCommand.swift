// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore
internal import ZooTrust

/// `ami-zoo trust`.
struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Trust signed registries, and sign registries.",
        discussion: """
            A signed registry has metadata of The Update Framework (TUF), which proves what is current.             'add', 'list' and 'remove' say which registries this machine trusts; the other commands are             for owners of registries.
            """,
        subcommands: [
            TrustAddCommand.self, TrustListCommand.self, TrustRemoveCommand.self,
            TrustShowCommand.self, TrustInitCommand.self, TrustSignCommand.self,
            TrustDelegateCommand.self, TrustRotateCommand.self, TrustRenewCommand.self,
        ]
    )
}

/// `ami-zoo trust add`.
struct TrustAddCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Trust the root of a signed registry.",
        discussion: """
            From then on this machine accepts nothing from that registry that is not signed, also when the             registry no longer says that it is. Get the root or its fingerprint from the owner on another             way than from the registry itself.
            """
    )

    @Argument(help: "The registry: a folder or an http(s) address.")
    var address: String

    @Option(
        help: ArgumentHelp(
            "A file with root metadata from a source that you trust.",
            valueName: "file"
        )
    )
    var root: String?

    @Option(
        help: ArgumentHelp(
            "The fingerprint of the first root, such as sha256:…; the root is fetched.",
            valueName: "digest"
        )
    )
    var fingerprint: String?

    @Flag(help: "Trust the root that the registry has now, and show its fingerprint.")
    var firstUse = false

    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let given = [root != nil, fingerprint != nil, firstUse].filter { $0 }.count
        guard given == 1 else {
            throw ValidationError("give one of --root, --fingerprint and --first-use")
        }
    }

    func report() async throws -> TrustedRegistryOutcome {
        let surroundings = Surroundings()
        let location = try RegistryLocation(parsing: address)
        let list = TrustedRegistries(in: try surroundings.store)
        let bytes = try await rootBytes(surroundings)
        if let fingerprint {
            let (expected, found) = (
                try ContentDigest(parsing: fingerprint), ContentDigest(of: bytes)
            )
            guard found == expected else {
                throw ZooError(
                    .trustFingerprint,
                    "the root of \(location) has the fingerprint \(found), not \(expected)",
                    remedy: "do not trust it before its owner confirms the fingerprint"
                )
            }
        }
        let now = Timestamp(secondsSince1970: Clock.seconds())
        return try await BlockingWork.run { [firstUse] _ in
            try surroundings.store.prepare()
            return TrustedRegistryOutcome(
                entry: try list.add(bytes, of: location, at: now),
                isFirstUse: firstUse
            )
        }
    }

    private func rootBytes(_ surroundings: Surroundings) async throws -> [UInt8] {
        if let root {
            return try FileSystem.document(
                FileSystem.absolute(root),
                limit: MetadataLimits().root,
                followingLinks: true
            )
        }
        var options = RegistryOptions()
        options.registry = address
        let registry = try surroundings.registry(options, network)
        return try await Interruption.cancelling { try await registry.firstRoot() }
    }
}

struct TrustedRegistryOutcome: Report {
    let entry: TrustedRegistries.Entry
    let isFirstUse: Bool

    var json: JSONValue { entry.json }

    var text: String {
        "\(entry.address) is trusted: root \(entry.fingerprint)"
            + (isFirstUse
                ? "\nnothing proves this root yet: compare it with what the owner says" : "")
    }
}

extension TrustedRegistries.Entry {
    /// The fields of `trust add` and `trust list`.
    fileprivate var json: JSONValue {
        [
            "registry": .string(address), "fingerprint": .string(fingerprint.description),
            "added": .string(added.text),
        ]
    }
}

/// `ami-zoo trust list`.
struct TrustListCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the registries whose root this machine trusts."
    )

    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustListOutcome {
        let list = TrustedRegistries(in: try Surroundings().store)
        return TrustListOutcome(
            entries: try await BlockingWork.run { _ in try list.entries() }
        )
    }
}

struct TrustListOutcome: Report {
    let entries: [TrustedRegistries.Entry]

    var json: JSONValue { ["registries": .array(entries.map(\.json))] }

    var text: String {
        guard !entries.isEmpty else { return "no registries; 'ami-zoo trust add ADDRESS' adds one" }
        return Table.text(
            ["REGISTRY", "ROOT", "ADDED"],
            entries.map { [$0.address, $0.fingerprint.short, $0.added.text] }
        )
    }
}

/// `ami-zoo trust remove`.
struct TrustRemoveCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget the root of a registry.",
        discussion: """
            The registry is then read as one that is not signed. What was pulled keeps its proof.
            """
    )

    @Argument(help: "The registry, as for 'ami-zoo trust add'.")
    var address: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustRemoveOutcome {
        let location = try RegistryLocation(parsing: address)
        let list = TrustedRegistries(in: try Surroundings().store)
        let removed = try await BlockingWork.run { _ in try list.remove(location) }
        return TrustRemoveOutcome(
            address: TrustedRegistries.canonical(location),
            wasTrusted: removed
        )
    }
}

struct TrustRemoveOutcome: Report {
    let address: String
    let wasTrusted: Bool

    var json: JSONValue { ["registry": .string(address), "wasTrusted": .bool(wasTrusted)] }
    var text: String {
        wasTrusted ? "\(address) is no longer trusted" : "\(address) was not trusted"
    }
}
