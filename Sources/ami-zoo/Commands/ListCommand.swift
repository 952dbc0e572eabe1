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
        abstract: "List the models in a registry."
    )

    @Option(help: "Only models of this family, such as 'vjepa2'.")
    var family: String?

    @Option(help: "Only models with this licence, as an SPDX identifier such as 'MIT'.")
    var licence: String?

    @Option(
        help: "Only models with inputs of this modality: image, video, series, vector, features."
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
        let models = try await source.catalogue().compactMap { entry -> ListOutcome.Model? in
            guard let summary = entry.summary, summary.kind == .model, matches(summary) else {
                return nil
            }
            let versions = Set(installed[entry.name, default: []].map(\.record.version))
            return ListOutcome.Model(
                name: entry.name,
                summary: summary,
                installed: versions.intersection(summary.versions).sorted()
            )
        }
        return ListOutcome(registry: source.source.address, models: models)
    }

    private func matches(_ summary: RegistryCatalogue.Summary) -> Bool {
        (family ?? summary.family) == summary.family
            && (licence ?? summary.licence) == summary.licence
            && (modality ?? summary.modality) == summary.modality
    }
}

struct ListOutcome: Report {
    struct Model {
        let name: ModelName
        let summary: RegistryCatalogue.Summary
        let installed: [SemanticVersion]
    }

    let registry: String
    let models: [Model]

    var json: JSONValue {
        [
            "registry": .string(registry),
            "models": .array(
                models.map { model in
                    [
                        "name": .string(model.name.description),
                        "versions": .array(
                            model.summary.versions.map { .string($0.description) }
                        ),
                        "installed": .array(model.installed.map { .string($0.description) }),
                        "family": .string(model.summary.family),
                        "summary": .string(model.summary.text),
                        "licence": .string(model.summary.licence),
                        "modality": .string(model.summary.modality),
                        "parameters": .integer(model.summary.parameters),
                        "bytes": .integer(model.summary.size),
                    ]
                }
            ),
        ]
    }

    var text: String {
        guard !models.isEmpty else { return "\(registry) holds no models" }
        return Table.text(
            ["MODEL", "NEWEST", "VERSIONS", "INSTALLED"],
            models.map { model in
                [
                    model.name.description, model.summary.current?.description ?? "",
                    String(model.summary.versions.count),
                    model.installed.map(\.description).joined(separator: ", "),
                ]
            }
        )
    }
}
