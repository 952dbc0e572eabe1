// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooConvert
internal import ZooCore
internal import ZooFiles
internal import ZooInference
internal import ZooStore

/// `ami-zoo export`.
struct ExportCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a converted model as a checkpoint that the lab's own code loads.",
        discussion: """
            Writes a torch.save file with the upstream state dicts and tensor names, without \
            optimizer state and counters.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Option(name: .customLong("to"), help: "The file to write, such as vitl.pt.")
    var destination: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> ExportOutcome {
        let folder = try ModelLocation(model, in: Surroundings().store).folder
        let destination = FileSystem.absolute(destination)
        guard !FileSystem.isSame(FileSystem.parent(of: destination), folder) else {
            throw ZooError(
                .outputUnsuitable,
                "'\(destination)' cannot be written: it lies in the model folder",
                remedy: "write to a file outside '\(folder)'"
            )
        }
        let report = try await Interruption.cancelling {
            try await BlockingWork.run {
                try Exporter(folder: folder).write(to: destination, $0)
            }
        }
        return ExportOutcome(report: report, path: destination)
    }
}

struct ExportOutcome: Report {
    let report: Exporter.Report
    let path: String

    var json: JSONValue {
        [
            "path": .string(path), "bytes": .integer(report.bytes),
            "groups": .object(report.groups.mapValues { .integer($0) }),
        ]
    }

    var text: String {
        let groups = report.groups.sorted { $0.key < $1.key }
            .map { "'\($0.key)' \(Counted.text($0.value, "tensor"))" }
        return "\(groups.joined(separator: ", ")), \(ByteCount(report.bytes))\n\(path)"
    }
}
