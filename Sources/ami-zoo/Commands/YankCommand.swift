// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// `ami-zoo yank`.
struct YankCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "yank",
        abstract: "Hide a version of a registry folder from channels, and say why.",
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
    @OptionGroup var output: OutputOptions

    func report() async throws -> YankOutcome {
        let (reason, date) = (reason, ChangedRelease.now)
        return YankOutcome(
            try await Surroundings().changed(reference, registry).change {
                folder,
                release,
                cancellation in
                try folder.yank(
                    release.name,
                    release.version,
                    reason: reason,
                    at: date,
                    cancellation
                )
            }
        )
    }
}

/// `ami-zoo unyank`.
struct UnyankCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "unyank",
        abstract: "Take back the yank of a version of a registry folder."
    )

    @Argument(help: "The yanked version, such as ami/ball-drop:1.0.0.")
    var reference: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> YankOutcome {
        YankOutcome(
            try await Surroundings().changed(reference, registry).change {
                folder,
                release,
                cancellation in
                try folder.unyank(release.name, release.version, cancellation)
            }
        )
    }
}

struct YankOutcome: Report {
    private let reference: ModelReference
    private let entry: IndexDocument.Entry

    init(_ change: (release: ChangedRelease, index: IndexDocument, entry: IndexDocument.Entry)) {
        reference = change.release.reference
        entry = change.entry
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
        abstract: "Add versions to a channel of a registry folder, or remove them from it."
    )

    @Argument(help: "The model, such as ami/ball-drop.")
    var name: String

    @Argument(help: "The channel, such as 'stable'; it need not exist.")
    var channel: String

    @Option(help: "A version to add. Repeatable.")
    var add: [String] = []

    @Option(help: "A version to remove. Repeatable.")
    var remove: [String] = []

    @OptionGroup var registry: RegistryOptions
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
        let root = try Surroundings().registryFolder(registry, host: reference.host)
        let index = try await BlockingWork.run { cancellation in
            try RegistryFolder(opening: root).changeChannel(
                reference.name,
                channel,
                adding: added,
                removing: removed,
                cancellation
            )
        }
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
