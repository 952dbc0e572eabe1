// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore

/// `ami-zoo versions`.
struct VersionsCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "List the versions and channels of a model or data set."
    )

    @Argument(help: "The model or data set, such as ami/ball-drop.")
    var name: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> VersionsOutcome {
        let name = try ModelReference(parsing: name)
        let source = try Surroundings().registry(registry, network, host: name.host)
        let index = try await source.index(of: name.name)
        var knowsEvidence = index.kind == .model
        if knowsEvidence, index.entries.contains(where: { $0.evidence == nil }) {
            // Of an OCI registry that lists it elsewhere, no entry proves nothing.
            knowsEvidence = await source.listsEvidence()
        }
        return VersionsOutcome(index: index, knowsEvidence: knowsEvidence)
    }
}

struct VersionsOutcome: Report {
    let index: IndexDocument
    /// Whether a version without an entry about evidence has none.
    let knowsEvidence: Bool

    private func channels(of version: SemanticVersion) -> [ChannelName] {
        index.channels.filter { $0.value.contains(version) }.map(\.key).sorted()
    }

    var json: JSONValue {
        let versions = index.entries.reversed().map { entry -> JSONValue in
            var members: [String: JSONValue] = [
                "version": .string(entry.version.description),
                "digest": .string(entry.digest.description),
                "size": .integer(entry.size),
                "created": .string(entry.created.text),
                "licence": .string(entry.licence),
                "channels": .array(channels(of: entry.version).map { .string($0.text) }),
            ]
            if let yank = entry.yank {
                members["yanked"] = [
                    "reason": .string(yank.reason), "date": .string(yank.date.text),
                ]
            }
            if index.kind == .model { members.merge(entry.evidence.fields) { own, _ in own } }
            return .object(members)
        }
        return [
            "name": .string(index.name.description), "kind": .string(index.kind.rawValue),
            "versions": .array(Array(versions)),
        ]
    }

    var text: String {
        Table.text(
            ["VERSION", "CREATED", "SIZE", "LICENCE", "CHANNELS", "DIGEST", "EVIDENCE", ""],
            index.entries.reversed().map { entry in
                [
                    entry.version.description, String(entry.created.text.prefix(10)),
                    ByteCount(entry.size).description, entry.licence,
                    channels(of: entry.version).map(\.text).joined(separator: ", "),
                    entry.digest.short,
                    entry.evidence != nil || knowsEvidence
                        ? entry.evidence.cell(entry.evidence?.claims) : "",
                    entry.yank.map { "withdrawn: \($0.reason)" } ?? "",
                ]
            }
        )
    }
}
