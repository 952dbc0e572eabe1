// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCheckpoint
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// `ami-zoo pack`.
struct PackCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Pack a model folder as a release into a registry folder.",
        discussion: """
            The model folder is one that Python loads: config.json, model.safetensors, README.md. \
            The description adds what these files do not state: name, version, authors, licence, \
            lineage, evaluation. Then run 'ami-zoo registry index' to list the release.
            """
    )

    @Argument(help: "The model folder to pack.")
    var folder: String

    @Option(name: .customLong("output"), help: "The registry folder, or the folder to create.")
    var destination: String

    @Option(help: "The description. Default: model.yaml or release.json in the model folder.")
    var description: String?

    @Option(
        help: "The compression of the archives: 'zstd' or 'none'.",
        transform: PackCommand.encoding
    )
    var compression = ArchiveEncoding.zstd

    @OptionGroup var output: OutputOptions

    func report() async throws -> PackOutcome {
        let request = try await BlockingWork.run { _ in try makeRequest() }
        return PackOutcome(
            report: try await Interruption.cancelling { try await Packer(request).pack() },
            output: request.output
        )
    }

    private static func encoding(_ text: String) throws -> ArchiveEncoding {
        guard let encoding = ArchiveEncoding(rawValue: text) else {
            throw ValidationError("'\(text)' is neither 'zstd' nor 'none'")
        }
        return encoding
    }

    /// What a person wrote, or what a conversion wrote.
    private static func description(in folder: String) throws(ZooError) -> String {
        let candidates = PackRequest.descriptionNames.map { "\(folder)/\($0)" }
        for path in candidates where try FileSystem.status(path) != nil { return path }
        return candidates[0]
    }

    private func makeRequest() throws -> PackRequest {
        let source = FileSystem.absolute(folder)
        let descriptionPath = try description ?? Self.description(in: source)
        let document = try ModelDescription.parse(
            try FileSystem.document(descriptionPath, limit: ModelDescription.limit),
            path: descriptionPath
        )
        let reading = try WeightReading(folder: source)
        var facts: [String: RecordDraft.ComponentFacts] = [:]
        for component in try document.objects("components", maximum: 256) {
            let name = try component.string("name")
            let prefix =
                component.value("prefix") == nil ? "" : try component.string("prefix")
            facts[name] = try reading.facts(
                files: try component.strings("files", maximum: FormatLimits.files, each: 1024),
                prefix: prefix
            )
        }
        return PackRequest(
            source: source,
            description: document,
            tensorStarts: reading.tensorStarts,
            components: facts,
            encoding: compression,
            output: FileSystem.absolute(destination)
        )
    }
}

/// What the tensors of a model folder say about themselves.
private struct WeightReading {
    private let folder: String
    private let checkpoints: [ReleasePath: Checkpoint]
    let tensorStarts: [ReleasePath: [Int]]

    init(folder: String) throws {
        self.folder = folder
        var checkpoints: [ReleasePath: Checkpoint] = [:]
        var starts: [ReleasePath: [Int]] = [:]
        for name in try FileSystem.files(below: folder) where name.hasSuffix(".safetensors") {
            let path = try ReleasePath(parsing: name)
            checkpoints[path] = try Checkpoint(opening: "\(folder)/\(name)")
            starts[path] = try SafetensorsFile(MappedFile("\(folder)/\(name)")).tensorStarts
        }
        self.checkpoints = checkpoints
        tensorStarts = starts
    }

    func facts(
        files: [String],
        prefix: String
    ) throws -> RecordDraft.ComponentFacts? {
        // A sharded component is opened through its index, so that its fingerprint covers it all.
        let index = files.first { $0.hasSuffix(".index.json") }
        guard let name = index ?? files.first else { return nil }
        let checkpoint = try Checkpoint(opening: "\(folder)/\(name)")
        let tensors = checkpoint.tensors.filter { $0.name.hasPrefix(prefix) }
        guard !tensors.isEmpty else { return nil }
        return RecordDraft.ComponentFacts(
            tensors: tensors.count,
            parameters: tensors.reduce(0) { $0 + $1.shape.elementCount },
            dtypes: Set(tensors.map(\.dtype.rawValue)).sorted(),
            fingerprint: checkpoint.fingerprint(ofNamesBeginningWith: prefix)
        )
    }
}

struct PackOutcome: Report {
    let report: PackReport
    let output: String

    var json: JSONValue {
        [
            "reference": .string(report.reference.description),
            "digest": .string(report.digest.description),
            "bytesTotal": .integer(report.bytesTotal),
            "bytesStored": .integer(report.bytesStored),
            "alreadyThere": .bool(report.alreadyThere),
            "path": .string(output),
        ]
    }

    var text: String {
        let state = report.alreadyThere ? "was there already" : "packed"
        return "\(report.reference) \(report.digest.short) \(state): "
            + "\(ByteCount(report.bytesTotal)) in \(ByteCount(report.bytesStored)) of archives\n"
            + "list it with 'ami-zoo registry index \(output)'"
    }
}
