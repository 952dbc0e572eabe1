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
        abstract: "Fetch a published checkpoint from its lab and turn it into a release folder.",
        discussion: """
            The catalogue (models/) says where a checkpoint is published, under which licence, and \
            how many tensors it must have. An interrupted fetch goes on where it stopped.
            """
    )

    @Argument(help: "A model of the catalogue, such as meta/vjepa2-vitl.")
    var model: String

    @Option(name: .customLong("to"), help: "The folder to make; otherwise the model's name.")
    var destination: String?

    @Option(help: "A local copy, or the address of a mirror.")
    var from: String?

    @Option(help: "The checkpoint of the encoder that a probe was trained on.")
    var backbone: String?

    @Option(help: "The licence that you agree to, where the weights may not be used freely.")
    var acceptLicence: String?

    @Option(help: "The largest file to fetch, in bytes.")
    var maxSize = 64_000_000_000

    @Option(help: "The folder of the catalogue.")
    var catalogue: String?

    @OptionGroup var conversion: ConversionArguments
    @OptionGroup var output: OutputOptions

    func report() async throws -> ConversionOutcome {
        let surroundings = Surroundings()
        let catalogue = try catalogue.map { Catalogue(folder: $0) } ?? surroundings.catalogue()
        let name = try ModelName(parsing: model)
        let entry = try catalogue.entry(name)
        try requireLicence(entry)
        let view = PullProgressView(output)
        defer { view.close() }
        if entry.needsAcceptance { view.note("\(name): licence \(entry.licence ?? "unknown")") }
        let upstream = try await Interruption.cancelling {
            try await fetch(entry, surroundings, view)
        }
        let (backbone, options) = (backbone, options(for: entry))
        let source = try await BlockingWork.run { _ in
            try ConversionSource(upstream.path, backbone: backbone)
        }
        let plan = try source.plan(options)
        try ImportCheck(entry).check(plan)
        let converter = Converter(
            plan: plan,
            sources: source.tensors,
            options: options,
            identity: try identity(entry, card: catalogue.card(name), upstream),
            dtype: conversion.dtype.dtype
        )
        let last = name.description.split(separator: "/").last.map { String($0) } ?? model
        let destination = FileSystem.absolute(destination ?? last)
        let report = try await Interruption.cancelling {
            try await converter.write(to: destination)
        }
        if let folder = upstream.fetchedFolder { try FileSystem.remove(folder) }
        return ConversionOutcome(report: report, path: destination)
    }

    private func requireLicence(_ entry: CatalogueEntry) throws(ZooError) {
        let licence = entry.licence ?? "unknown"
        guard entry.needsAcceptance, acceptLicence != licence else { return }
        let terms =
            entry.licence == nil
            ? "nobody has said what its weights may be used for"
            : "its licence \(licence) forbids commercial use"
        throw ZooError(
            .importLicence,
            "'\(entry.name)' may not be used freely: \(terms)",
            remedy: "read the terms at \(entry.homepage); if you agree, add "
                + "--accept-licence \(licence)"
        )
    }

    /// What is known of the model, unless the command line says otherwise.
    private func options(for entry: CatalogueEntry) -> ConversionOptions {
        var options = conversion.options
        guard entry.family != .vjepa2Classifier else { return options }
        options.heads = options.heads ?? entry.heads
        options.predictorHeads = options.predictorHeads ?? entry.predictorHeads
        options.cropSize = options.cropSize ?? entry.resolution
        options.frames = options.frames ?? entry.frames
        options.probe = options.probe ?? entry.probe
        options.backboneLevels = options.backboneLevels ?? entry.levels
        let choosesItself = entry.family.isProbe || entry.component == "."
        if !choosesItself, entry.components.contains(where: { $0.name == "encoder" }) {
            options.component = options.component ?? entry.component
        }
        return options
    }

    // MARK: Files

    /// Where the lab's file lies, and what is known about it now.
    private struct Upstream: Sendable {
        let path: String
        let members: [String: JSONValue]
        /// The folder to remove when all is done.
        var fetchedFolder: String?
    }

    private func fetch(
        _ entry: CatalogueEntry,
        _ surroundings: Surroundings,
        _ view: PullProgressView
    ) async throws -> Upstream {
        guard let main = entry.files.first else { preconditionFailure("an entry without files") }
        if let from, !from.contains("://") { return try await local(from, main) }
        let folder = "\(surroundings.store.root)/imports/\(entry.name)"
        let fetcher = UpstreamFetcher(
            transport: surroundings.transport { view.note($0) },
            folder: folder,
            limit: maxSize
        ) { view.show($0) }
        var members: [String: JSONValue] = ["url": .string(main.url), "file": .string(main.name)]
        for file in entry.files {
            // A mirror of one file is that file; of several, the folder they lie in.
            let address = from.map { entry.files.count == 1 ? $0 : "\($0)/\(file.name)" }
            guard let fetched = try await fetcher.fetch(file, from: address) else { continue }
            if file == main {
                members["size"] = .integer(fetched.size)
                members["sha256"] = .string(String(fetched.digest.description.dropFirst(7)))
                if let address { members["mirror"] = .string(address) }
            }
        }
        return Upstream(path: "\(folder)/\(main.name)", members: members, fetchedFolder: folder)
    }

    private func local(
        _ path: String,
        _ main: CatalogueEntry.File
    ) async throws -> Upstream {
        let isFolder = try FileSystem.status(path + "/")?.kind == .folder
        let file = isFolder ? "\(path)/\(main.name)" : path
        let digest = try await BlockingWork.run { try FileDigest.compute(file, $0) }
        let size = try FileSystem.status(file)?.size ?? 0
        guard main.digest ?? digest == digest, main.size ?? size == size else {
            throw ZooError(
                .importFileMismatch,
                "'\(file)' is not the file that the catalogue speaks of",
                remedy: "leave out --from to fetch that one"
            )
        }
        return Upstream(
            path: file,
            members: [
                "url": .string(main.url), "file": .string(main.name), "size": .integer(size),
                "sha256": .string(String(digest.description.dropFirst(7))),
            ]
        )
    }

    private func identity(
        _ entry: CatalogueEntry,
        card: String,
        _ upstream: Upstream
    ) throws(ZooError) -> ConversionIdentity {
        var identity = ConversionIdentity(
            name: entry.name,
            version: try SemanticVersion(parsing: "1.0.0"),
            created: ConversionArguments.created
        )
        identity.card = card
        identity.inputs = entry.inputs
        identity.upstream = upstream.members
        identity.details = [
            "summary": .string(entry.summary), "authors": .array(entry.authors.map { .string($0) }),
            "licence": .string(entry.licence ?? "unknown"), "homepage": .string(entry.homepage),
            "evaluation": .array(entry.evaluation),
            "notes": .array(entry.notes.map { .string($0) }),
        ]
        return identity
    }
}

/// Holds a plan against what the catalogue says a model must have.
private struct ImportCheck {
    private let entry: CatalogueEntry

    init(_ entry: CatalogueEntry) { self.entry = entry }

    func check(_ plan: ConversionPlan) throws(ZooError) {
        var problems: [String] = []
        if plan.family != entry.family {
            problems.append("it is a \(plan.family) model, and not \(entry.family)")
        }
        for component in entry.components {
            guard let part = plan.parts.first(where: { $0.component == component.name }) else {
                problems.append("it has no \(component.name)")
                continue
            }
            let tensors = part.rules.flatMap(\.upstream)
            let numbers = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
            if let expected = component.tensors, expected != tensors.count {
                problems.append(
                    "its \(component.name) has \(tensors.count) tensors instead of \(expected)"
                )
            }
            if let expected = component.parameters, expected != numbers {
                problems.append(
                    "its \(component.name) has \(numbers) numbers instead of \(expected)"
                )
            }
        }
        guard !problems.isEmpty else { return }
        throw ZooError(
            .importCountsMismatch,
            "the file is not '\(entry.name)': \(problems.joined(separator: "; "))",
            remedy: "check that it is complete and the one that the catalogue names"
        )
    }
}
