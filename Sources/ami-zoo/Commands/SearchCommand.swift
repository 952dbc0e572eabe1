// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooStore

/// `ami-zoo search`.
struct SearchCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Search the models and data sets in a registry.",
        discussion:
            "Finds models and data sets whose name, summary, family, licence or modality have a word that "
            + "begins with each word of the text. The best matches come first."
    )

    @Argument(help: "The words to search for.")
    var text: [String]

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

    @Option(help: "The largest number of matches to print, 1 to 1000.")
    var limit = CatalogueQuery.standardLimit

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...CatalogueQuery.largestLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(CatalogueQuery.largestLimit)")
        }
    }

    func report() async throws -> SearchOutcome {
        let source = try Surroundings().registry(registry, network)
        var query = CatalogueQuery()
        query.text = text.joined(separator: " ")
        query.kind = kind
        (query.family, query.licence, query.modality) = (family, licence, modality)
        query.limit = limit
        return SearchOutcome(
            registry: source.source.address,
            query: query.text,
            matches: try await source.search(query)
        )
    }
}

struct SearchOutcome: Report {
    let registry: String
    let query: String
    let matches: CatalogueMatches

    private func fields(of kind: ArtifactKind) -> JSONValue {
        .array(
            matches.entries.compactMap { entry in
                guard let summary = entry.summary, summary.kind == kind else { return nil }
                return .object(summary.fields(of: entry.name))
            }
        )
    }

    var json: JSONValue {
        [
            "registry": .string(registry), "query": .string(query),
            "total": .integer(matches.total), "models": fields(of: .model),
            "datasets": fields(of: .dataset),
        ]
    }

    var text: String {
        guard !matches.entries.isEmpty else {
            return "no model or data set in \(registry) matches '\(query)'"
        }
        let table = Table.text(
            ["NAME", "KIND", "NEWEST", "FAMILY", "EVIDENCE", "SUMMARY"],
            matches.entries.map { entry in
                [
                    entry.name.description, entry.summary?.kind.noun ?? "",
                    entry.summary?.current?.description ?? "",
                    entry.summary?.family ?? "",
                    entry.summary.map {
                        $0.kind == .model ? $0.evidence.cell($0.claims) : ""
                    } ?? "",
                    entry.summary?.text ?? "",
                ]
            }
        )
        let hidden = matches.total - matches.entries.count
        return hidden > 0 ? "\(table)\n\(hidden) more; '--limit' shows more" : table
    }
}
