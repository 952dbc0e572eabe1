// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCheckpoint
internal import ZooClient
internal import ZooCore
internal import ZooFiles

/// `ami-zoo pack`.
struct PackCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Pack a model or a data set as a release into a folder.",
        discussion: """
            The model folder is one that Python loads: config.json, model.safetensors, README.md. \
            The description adds what these files do not state: name, version, authors, licence, \
            lineage, evaluation. A description with 'kind: dataset' makes a data set of the folder, \
            and states its splits and labels. In a registry folder the release is published at \
            once; elsewhere the result is an OCI image layout.
            """
    )

    @Argument(help: "The folder of the model or data set.")
    var folder: String

    @Option(
        name: .customLong("output"),
        help: "A registry folder, or the OCI image layout to create or to add to."
    )
    var destination: String

    @Option(
        help: "The description. Default: model.yaml, release.json or dataset.yaml in the folder."
    )
    var description: String?

    @Option(
        help: "The compression of the archives: 'zstd' or 'none'.",
        transform: PackCommand.encoding
    )
    var compression = ArchiveEncoding.zstd

    @OptionGroup var output: OutputOptions

    func report() async throws -> PackOutcome {
        let root = FileSystem.absolute(destination)
        return try await Interruption.cancelling {
            let request = try await BlockingWork.run { try makeRequest($0) }
            let target = try await FolderTarget(root: root)
            let report = try await Packer(request).pack(to: target)
            return PackOutcome(report: report, output: root, published: target.isRegistry)
        }
    }

    private static func encoding(_ text: String) throws -> ArchiveEncoding {
        guard let encoding = ArchiveEncoding(rawValue: text) else {
            throw ValidationError("'\(text)' is neither 'zstd' nor 'none'")
        }
        return encoding
    }

    /// The path of the description file in a folder.
    private static func description(in folder: String) throws(ZooError) -> String {
        let candidates = PackRequest.descriptionNames.map { "\(folder)/\($0)" }
        for path in candidates where try FileSystem.status(path) != nil { return path }
        return candidates[0]
    }

    /// The path of a file relative to a folder; nil when it lies elsewhere.
    private static func path(of file: String, in folder: String) -> String? {
        let (file, start) = (FileSystem.realPath(file), FileSystem.realPath(folder) + "/")
        guard file.beginsExactly(with: start) else { return nil }
        return String(decoding: file.utf8.dropFirst(start.utf8.count), as: UTF8.self)
    }

    /// The kind of release that a description describes; a model where it does not say.
    private static func kind(
        _ document: JSONObject,
        _ path: String
    ) throws(ZooError) -> ArtifactKind {
        if document.value("kind") != nil {
            return try document.choice("kind", of: ArtifactKind.self)
        }
        guard FileSystem.name(of: path) != PackRequest.dataSetDescription else {
            throw ZooError(
                .descriptionInvalid,
                "'\(path)' does not state its kind",
                remedy: "add the line 'kind: dataset'"
            )
        }
        return .model
    }

    private func makeRequest(_ cancellation: Cancellation) throws -> PackRequest {
        let source = FileSystem.absolute(folder)
        let descriptionPath = try description ?? Self.description(in: source)
        let document = try ModelDescription.parse(
            try FileSystem.document(descriptionPath, limit: ModelDescription.limit),
            path: descriptionPath
        )
        let kind = try Self.kind(document, descriptionPath)
        let weights = try ModelWeights(folder: source, cancellation)
        var facts: [String: RecordDraft.ComponentFacts] = [:]
        for component in kind == .dataset ? [] : try document.objects("components", maximum: 256) {
            let name = try component.string("name")
            let prefix =
                component.value("prefix") == nil ? "" : try component.string("prefix")
            facts[name] = try weights.facts(
                ofFiles: try component.strings("files", maximum: FormatLimits.files, each: 1024),
                prefix: prefix,
                cancellation
            )
        }
        return PackRequest(
            kind: kind,
            source: source,
            descriptionName: Self.path(of: descriptionPath, in: source),
            description: document,
            tensorStarts: weights.tensorStarts,
            components: facts,
            encoding: compression
        )
    }
}

struct PackOutcome: Report {
    let report: PackReport
    let output: String
    let published: Bool

    var json: JSONValue {
        [
            "reference": .string(report.reference.description),
            "kind": .string(report.kind.rawValue),
            "digest": .string(report.digest.description),
            "bytesTotal": .integer(report.bytesTotal),
            "bytesStored": .integer(report.bytesStored),
            "alreadyThere": .bool(report.alreadyThere),
            "path": .string(output),
            "published": .bool(published),
        ]
    }

    var text: String {
        let state = report.alreadyThere ? "was already packed" : "packed"
        return "\(report.reference) \(report.digest.short) \(state): "
            + "\(ByteCount(report.bytesTotal)) in \(ByteCount(report.bytesStored)) of archives\n"
            + (published
                ? "published in the registry \(output)"
                : "'\(output)' is an OCI image layout; 'ami-zoo registry init \(output)' and "
                    + "'ami-zoo registry index \(output)' make it a registry")
    }
}
