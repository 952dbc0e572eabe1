// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooConvert
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// `ami-zoo import`.
struct ImportCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Download a checkpoint that a lab published and convert it to a release folder.",
        discussion: """
            The catalogue states where a checkpoint is published, under which licence, and how many \
            tensors it has. Run the same command again after an interruption: the download resumes.
            """
    )

    @Argument(help: "A model in the catalogue, such as meta/vjepa2-vitl.")
    var model: String

    @Option(name: .customLong("to"), help: "The folder to create. Default: the name of the model.")
    var destination: String?

    @Option(
        help:
            "A local copy of the checkpoint, an archive that holds it, or the address of a mirror."
    )
    var from: String?

    @Option(help: "The checkpoint of the encoder that the probe was trained on.")
    var backbone: String?

    @Option(
        help: "The identifier of a licence that you accept; required where a licence restricts use."
    )
    var acceptLicence: String?

    @Option(help: "The largest file to download, in bytes.")
    var maxSize = 64_000_000_000

    @Option(help: "The folder of the catalogue. Default: the catalogue that ships with ami-zoo.")
    var catalogue: String?

    @OptionGroup var conversion: ConversionArguments
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> ConversionOutcome {
        let surroundings = Surroundings()
        let catalogue = try catalogue.map { Catalogue(folder: $0) } ?? surroundings.catalogue()
        let name = try ModelName(parsing: model)
        let entry = try catalogue.entry(name)
        do throws(ZooError) {
            try entry.requireConsent(acceptLicence)
        } catch {
            try LicenceQuestion.ask(error, entry.licence ?? "unknown")
        }
        let card = try catalogue.card(name)
        let view = PullProgressView(output)
        defer { view.close() }
        if entry.consent != nil { view.note("\(name): licence \(entry.licence ?? "unknown")") }
        let (backbone, dtype) = (backbone, conversion.dtype.dtype)
        let options = conversion.options.completed(by: entry)
        let download = "\(try surroundings.store.root)/imports/\(entry.name)"
        let fetcher = UpstreamFetcher(
            transport: try surroundings.transport(network) { view.note($0) },
            folder: download,
            limit: maxSize
        ) { view.show($0) }
        let last = name.description.split(separator: "/").last.map { String($0) } ?? model
        let destination = FileSystem.absolute(destination ?? last)
        let from = from
        return try await Interruption.cancelling {
            let isLocal = from.map { !$0.contains("://") } ?? false
            let lease =
                isLocal ? nil : try await BlockingWork.run { try FolderLease.hold(download, $0) }
            let (upstream, found) =
                if let from, isLocal { try await Self.local(from, of: entry) } else {
                    (try await UpstreamFile.fetch(entry, mirror: from, fetcher), nil)
                }
            // Reading a header cannot be interrupted; it may be abandoned, because it writes
            // nothing.
            let (source, input) = try await BlockingWork.run(whenCancelled: .abandoned) {
                let (cancellation, spool) = ($0, Surroundings().spool)
                let input =
                    try found
                    ?? CheckpointInput(
                        upstream.path,
                        preferring: entry.fileName,
                        spool: spool,
                        cancellation
                    )
                let backbone = try backbone.map {
                    try CheckpointInput($0, spool: spool, cancellation)
                }
                return (try ConversionSource(input.place, backbone: backbone?.place), input)
            }
            if let note = input.note { view.note(note) }
            let plan = try source.plan(options)
            try plan.requireMatch(entry)
            let report = try await Converter(
                plan: plan,
                sources: source.tensors,
                inputs: source.inputs,
                options: options,
                identity: ConversionIdentity(
                    entry,
                    version: try SemanticVersion(parsing: "1.0.0"),
                    created: ConversionArguments.created,
                    card: card,
                    upstream: upstream.lineage
                ),
                dtype: dtype
            ).write(to: destination)
            try lease?.end(removingFolder: true)
            return ConversionOutcome(report: report, path: destination, member: input.member)
        }
    }

    /// Checks a copy on this machine: the published file, or an archive that somebody put it in.
    private static func local(
        _ from: String,
        of entry: CatalogueEntry
    ) async throws -> (UpstreamFile, CheckpointInput?) {
        let input = try await BlockingWork.run(whenCancelled: .abandoned) {
            try CheckpointInput.inArchive(
                from,
                preferring: entry.fileName,
                spool: Surroundings().spool,
                $0
            )
        }
        guard let input, let archive = input.member?.archive else {
            return (try await UpstreamFile.local(from, of: entry), nil)
        }
        let isPublished = FileSystem.name(of: archive) == entry.fileName
        let place = isPublished ? FilePlace(archive) : input.place
        return (try await UpstreamFile.local(place, of: entry), input)
    }
}

extension CatalogueEntry {
    /// The name of the file with the weights.
    fileprivate var fileName: String? { files.first?.name }
}
