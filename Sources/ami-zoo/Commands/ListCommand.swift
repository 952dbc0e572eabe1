// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooStore

/// `ami-zoo list`.
struct ListCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the models and data sets in a registry."
    )

    @Option(
        help: "Only this kind: 'model' or 'dataset'.",
        transform: ArtifactKind.init(argument:)
    )
    var kind: ArtifactKind?

    @Option(help: "Only models of this family, such as 'vjepa2'.")
    var family: String?

    @Option(help: "Only what has this licence, as an SPDX identifier such as 'MIT'.")
    var licence: String?

    @Option(
        help: "Only data, or inputs, of this modality: image, video, series, vector, features."
    )
    var modality: String?

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> ListOutcome {
        let surroundings = Surroundings()
        let source = try surroundings.registry(registry, network)
        let installed = Dictionary(
            grouping: try surroundings.store.releases(),
            by: \.record.name
        )
        let releases = try await source.catalogue().compactMap { entry -> ListOutcome.Listed? in
            guard let summary = entry.summary, matches(summary) else {
                return nil
            }
            let versions = Set(installed[entry.name, default: []].map(\.record.version))
            return ListOutcome.Listed(
                name: entry.name,
                summary: summary,
                installed: versions.intersection(summary.versions).sorted()
            )
        }
        return ListOutcome(registry: source.source.address, releases: releases)
    }

    private func matches(_ summary: RegistryCatalogue.Summary) -> Bool {
        (kind ?? summary.kind) == summary.kind
            && (family ?? summary.family) == summary.family
            && (licence ?? summary.licence) == summary.licence
            && (modality ?? summary.modality) == summary.modality
    }
}

struct ListOutcome: Report {
    /// A model or data set.
    struct Listed {
        let name: ModelName
        let summary: RegistryCatalogue.Summary
        let installed: [SemanticVersion]
    }

    let registry: String
    let releases: [Listed]

    private func fields(of kind: ArtifactKind) -> JSONValue {
        .array(
            releases.filter { $0.summary.kind == kind }.map { release in
                var members = release.summary.fields(of: release.name)
                members["installed"] = .array(release.installed.map { .string($0.description) })
                return .object(members)
            }
        )
    }

    var json: JSONValue {
        [
            "registry": .string(registry), "models": fields(of: .model),
            "datasets": fields(of: .dataset),
        ]
    }

    var text: String {
        guard !releases.isEmpty else { return "\(registry) holds no models or data sets" }
        return Table.text(
            ["NAME", "KIND", "NEWEST", "VERSIONS", "EVIDENCE", "INSTALLED"],
            releases.map { release in
                [
                    release.name.description, release.summary.kind.noun,
                    release.summary.current?.description ?? "",
                    String(release.summary.versions.count),
                    release.summary.kind == .model
                        ? release.summary.evidence.cell(release.summary.claims) : "",
                    release.installed.map(\.description).joined(separator: ", "),
                ]
            }
        )
    }
}

extension ArtifactKind {
    /// Parses the value of `--kind`.
    init(argument text: String) throws {
        guard let kind = Self(rawValue: text) else {
            throw ValidationError("'\(text)' is neither 'model' nor 'dataset'")
        }
        self = kind
    }
}

extension RegistryCatalogue.Summary {
    /// The fields of `list` and `search`; a data set has no family and no parameters.
    func fields(of name: ModelName) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "name": .string(name.description), "kind": .string(kind.rawValue),
            "versions": .array(versions.map { .string($0.description) }),
            "summary": .string(text), "licence": .string(licence),
            "modality": .string(modality), "bytes": .integer(size),
        ]
        if kind == .model {
            members.merge(evidence.fields) { own, _ in own }
            members["claims"] = claims?.json ?? .null
            members["family"] = .string(family)
            members["parameters"] = .integer(parameters)
        }
        return members
    }
}
