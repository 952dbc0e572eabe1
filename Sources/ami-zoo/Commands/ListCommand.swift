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

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> ListOutcome {
        let surroundings = Surroundings()
        let source = try surroundings.registry(registry, network)
        let contents = try await source.contents()
        let installed = Set(try surroundings.store.releases().map(\.digest))
        let releases = contents.entries.filter { $0.kind == .model }
        let models = Dictionary(grouping: releases, by: \.name).map { name, entries in
            ListOutcome.Model(
                name: name,
                versions: entries.map(\.version).sorted(),
                installed: entries.filter { installed.contains($0.digest) }.map(\.version).sorted()
            )
        }
        return ListOutcome(
            registry: source.source.address,
            models: models.sorted { $0.name < $1.name }
        )
    }
}

struct ListOutcome: Report {
    struct Model {
        let name: ModelName
        let versions: [SemanticVersion]
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
                        "versions": .array(model.versions.map { .string($0.description) }),
                        "installed": .array(model.installed.map { .string($0.description) }),
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
                    model.name.description, model.versions.last?.description ?? "",
                    String(model.versions.count),
                    model.installed.map(\.description).joined(separator: ", "),
                ]
            }
        )
    }
}
