// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooRegistry

/// `ami-zoo yank`.
struct YankCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "yank",
        abstract: "Hide a version from channels, and say why.",
        discussion: """
            A reference without a version no longer means a yanked version. An exact reference \
            still does, and whoever uses it sees the reason. 'ami-zoo unyank' takes it back.
            """
    )

    @Argument(help: "The version to yank, such as ami/ball-drop:1.0.0.")
    var reference: String

    @Option(help: "Why, in one line of at most 1000 bytes.")
    var reason: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> YankOutcome {
        let release = try ChangedRelease(reference)
        let index = try await Surroundings().apply(
            IndexChange(
                release.name,
                .yank(release.version, reason: reason),
                digest: release.digest
            ),
            registry,
            network,
            signing,
            host: release.host
        )
        return try YankOutcome(release, index)
    }
}

/// `ami-zoo unyank`.
struct UnyankCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "unyank",
        abstract: "Take back the yank of a version."
    )

    @Argument(help: "The yanked version, such as ami/ball-drop:1.0.0.")
    var reference: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> YankOutcome {
        let release = try ChangedRelease(reference)
        let index = try await Surroundings().apply(
            IndexChange(release.name, .unyank(release.version), digest: release.digest),
            registry,
            network,
            signing,
            host: release.host
        )
        return try YankOutcome(release, index)
    }
}

struct YankOutcome: Report {
    private let reference: ModelReference
    private let entry: IndexDocument.Entry

    init(_ release: ChangedRelease, _ index: IndexDocument) throws(ZooError) {
        guard let entry = index.entry(for: .version(release.version)) else {
            // Only a server can answer this; a folder reports a version that it does not have.
            throw ZooError(
                .indexInvalid,
                "the registry answered with an index document without \(release.reference)",
                remedy: "report it to the operator of the registry"
            )
        }
        reference = release.reference
        self.entry = entry
    }

    var json: JSONValue {
        [
            "reference": .string(reference.description),
            "digest": .string(entry.digest.description),
            "yanked": entry.yank.map {
                ["reason": .string($0.reason), "date": .string($0.date.text)]
            } ?? .null,
        ]
    }

    var text: String {
        "\(reference) \(entry.digest.short) "
            + (entry.yank.map { "is yanked: \($0.reason)" } ?? "is not yanked")
    }
}

/// `ami-zoo channel`.
struct ChannelCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "channel",
        abstract: "Add versions to a channel, or remove them from it."
    )

    @Argument(help: "The model or data set, such as ami/ball-drop.")
    var name: String

    @Argument(help: "The channel, such as 'stable'; it need not exist.")
    var channel: String

    @Option(help: "A version to add. Repeatable.")
    var add: [String] = []

    @Option(help: "A version to remove. Repeatable.")
    var remove: [String] = []

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !(add + remove).isEmpty else {
            throw ValidationError("give the versions with --add or --remove")
        }
        if let both = Set(add).intersection(remove).min() {
            throw ValidationError("'\(both)' cannot be added and removed at once")
        }
    }

    func report() async throws -> ChannelOutcome {
        let reference = try ModelReference(parsing: name)
        let channel = try ChannelName(parsing: channel)
        let added = Set(try add.map { try SemanticVersion(parsing: $0) })
        let removed = Set(try remove.map { try SemanticVersion(parsing: $0) })
        let index = try await Surroundings().apply(
            IndexChange(reference.name, .channel(channel, adding: added, removing: removed)),
            registry,
            network,
            signing,
            host: reference.host
        )
        return ChannelOutcome(index: index, channel: channel)
    }
}

struct ChannelOutcome: Report {
    let index: IndexDocument
    let channel: ChannelName

    private var versions: [SemanticVersion] { index.channels[channel, default: []].sorted() }

    var json: JSONValue {
        [
            "name": .string(index.name.description), "channel": .string(channel.text),
            "versions": .array(versions.map { .string($0.description) }),
        ]
    }

    var text: String {
        versions.isEmpty
            ? "'\(channel.text)' of \(index.name) has no versions"
            : "'\(channel.text)' of \(index.name): "
                + versions.map(\.description).joined(separator: ", ")
    }
}
