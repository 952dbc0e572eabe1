// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooConvert
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// `ami-zoo convert`.
struct ConvertCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract:
            "Convert a lab's checkpoint to a release folder without executing anything in it.",
        discussion: """
            Reads torch.save files (ZIP and legacy), safetensors, and sharded checkpoints. Detects \
            the family and its sizes from the tensors. Takes the encoder that the lab evaluates, \
            unless --component names another. The same file and options give the same bytes on \
            every machine. A file may be inside an archive (tar, tar.gz, tar.zst, zip, 7z): pass the \
            archive, or ARCHIVE/PATH if it holds several checkpoints.
            """
    )

    @Argument(help: "The checkpoint file to convert.")
    var file: String

    @Option(name: .customLong("to"), help: "The folder to create.")
    var destination: String

    @Option(help: "The checkpoint of the encoder that the probe was trained on.")
    var backbone: String?

    @Option(help: "The model name in the release record. Default: local/FAMILY-VARIANT.")
    var name: String?

    @Option(help: "The version in the release record.")
    var version = "1.0.0"

    @OptionGroup var conversion: ConversionArguments
    @OptionGroup var output: OutputOptions

    func report() async throws -> ConversionOutcome {
        let (file, backbone, options) = (file, backbone, conversion.options)
        let name = try name.map { name throws(ZooError) in try ModelName(parsing: name) }
        let version = try SemanticVersion(parsing: version)
        let (dtype, destination) = (conversion.dtype.dtype, FileSystem.absolute(destination))
        let isQuiet = output.quiet
        return try await Interruption.cancelling {
            // Reading a header cannot be interrupted; it may be abandoned, because it writes
            // nothing.
            let (source, input) = try await BlockingWork.run(whenCancelled: .abandoned) {
                let (cancellation, spool) = ($0, Surroundings().spool)
                let input = try CheckpointInput(file, spool: spool, cancellation)
                let backbone = try backbone.map {
                    try CheckpointInput($0, spool: spool, cancellation)
                }
                return (try ConversionSource(input.place, backbone: backbone?.place), input)
            }
            if let note = input.note, !isQuiet { Console.note(note) }
            let plan = try source.plan(options)
            var identity = ConversionIdentity(
                name: try name ?? Self.name(of: plan),
                version: version,
                created: ConversionArguments.created
            )
            identity.upstream = [
                "file": .string(FileSystem.name(of: input.member?.archive ?? file))
            ]
            if let member = input.member { identity.upstream["member"] = .string(member.name) }
            let converter = Converter(
                plan: plan,
                sources: source.tensors,
                inputs: source.inputs,
                options: options,
                identity: identity,
                dtype: dtype
            )
            return ConversionOutcome(
                report: try await converter.write(to: destination),
                path: destination,
                member: input.member
            )
        }
    }

    private static func name(of plan: ConversionPlan) throws(ZooError) -> ModelName {
        let word = "\(plan.family)-\(plan.variant)".replacing("/", with: "-").lowercased()
        return try ModelName(parsing: "local/\(word)")
    }
}

struct ConversionOutcome: Report {
    let report: ConversionReport
    let path: String
    let member: CheckpointInput.Member?

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "family": .string(report.family.rawValue), "variant": .string(report.variant),
            "path": .string(path), "reference": .string(reference),
            "files": .array(
                report.files.map { file in
                    [
                        "path": .string(file.path.text), "size": .integer(file.size),
                        "digest": .string(file.digest.description),
                    ]
                }
            ),
            "components": .array(
                report.record.components.map { component in
                    [
                        "name": .string(component.name),
                        "taken": .string(report.taken[component.name] ?? ""),
                        "tensors": .integer(component.tensors),
                        "parameters": .integer(component.parameters),
                        "fingerprint": .string(component.fingerprint.description),
                    ]
                }
            ),
            "fingerprint": .string(report.fingerprint.description),
            "sourceFingerprint": .string(report.sourceFingerprint.description),
            "dropped": .array(report.dropped.map { .string($0) }),
        ]
        if let change = report.largestChange { members["largestChange"] = .number(change) }
        if let member { members["member"] = .string(member.name) }
        return .object(members)
    }

    private var reference: String { "\(report.record.name):\(report.record.version)" }

    var text: String {
        var lines = ["\(reference): \(report.family), \(report.variant)"]
        for component in report.record.components {
            let taken = report.taken[component.name] ?? ""
            lines.append(
                "  \(component.name) from '\(taken)': \(component.tensors) tensors, "
                    + "\(component.parameters) parameters, \(component.dtypes.joined(separator: " "))"
            )
        }
        if !report.dropped.isEmpty {
            lines.append("  left out: \(report.dropped.joined(separator: ", "))")
        }
        if let change = report.largestChange { lines.append("  largest change: \(change)") }
        lines.append("  fingerprint  \(report.fingerprint)")
        lines.append("  upstream     \(report.sourceFingerprint)")
        lines.append(path)
        return lines.joined(separator: "\n")
    }
}
