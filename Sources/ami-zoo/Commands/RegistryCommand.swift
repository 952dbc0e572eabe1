// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// `ami-zoo registry`.
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry",
        abstract: "Create, index, check, copy and clean registries.",
        subcommands: [
            RegistryInitCommand.self, RegistryIndexCommand.self, RegistryCheckCommand.self,
            RegistryMirrorCommand.self, RegistryExportCommand.self, RegistryImportCommand.self,
            RegistryDeleteCommand.self, RegistryCollectCommand.self,
        ]
    )
}

/// `ami-zoo registry init`.
struct RegistryInitCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Create an empty registry folder."
    )

    @Argument(help: "The folder to create; it must be empty or not exist.")
    var root: String

    @Option(help: "The display name of the registry.")
    var name = "ami-zoo registry"

    @Option(help: "The address of a mirror that holds the same blobs. Repeatable.")
    var mirror: [String] = []

    @OptionGroup var output: OutputOptions

    func report() async throws -> RegistryInitOutcome {
        let description = RegistryDescription(name: name, mirrors: mirror)
        let path = FileSystem.absolute(root)
        try await BlockingWork.run { _ in try RegistryFolder.create(path, description) }
        return RegistryInitOutcome(path: path, name: name)
    }
}

struct RegistryInitOutcome: Report {
    let path: String
    let name: String

    var json: JSONValue { ["path": .string(path), "name": .string(name)] }
    var text: String { "'\(name)' is ready at \(path)" }
}

/// `ami-zoo registry index`.
struct RegistryIndexCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Rebuild the index documents from the releases in a registry folder.",
        discussion: "Keeps withdrawals and channels. Adds new versions to the channel 'stable' and "
            + "pre-releases to 'candidate'."
    )

    @Argument(help: "The registry folder.")
    var root: String

    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> RegistryIndexOutcome {
        let path = FileSystem.absolute(root)
        let keys = try signing.keys(Surroundings())
        let changed = try await BlockingWork.run { try keys.open(path).rebuild($0) }
        return RegistryIndexOutcome(path: path, changed: changed)
    }
}

struct RegistryIndexOutcome: Report {
    let path: String
    let changed: [IndexDocument]

    var json: JSONValue {
        [
            "path": .string(path),
            "changed": .array(changed.map { .string($0.name.description) }),
        ]
    }

    var text: String {
        guard !changed.isEmpty else { return "the index of \(path) is up to date" }
        return changed.map { "\($0.name): \(Counted.text($0.entries.count, "version"))" }
            .joined(separator: "\n")
    }
}

/// `ami-zoo registry check`.
struct RegistryCheckCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check every document, blob, block and file in a registry folder."
    )

    @Argument(help: "The registry folder.")
    var root: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> RegistryCheckOutcome {
        let path = FileSystem.absolute(root)
        return RegistryCheckOutcome(
            path: path,
            report: try await Interruption.cancelling {
                try await RegistryCheck(root: path, workers: BlockingWork.processors).run()
            }
        )
    }
}

struct RegistryCheckOutcome: Report {
    let path: String
    let report: RegistryCheck.Report

    private var isSound: Bool { !report.findings.contains { $0.severity == .error } }
    var exitStatus: Int32 { isSound ? 0 : 1 }

    var json: JSONValue {
        [
            "status": .string(isSound ? "passed" : "failed"), "path": .string(path),
            "releases": .integer(report.releases), "blobs": .integer(report.blobs),
            "bytes": .integer(report.bytes), "findings": .array(report.findings.map(\.json)),
        ]
    }

    var text: String {
        var lines = report.findings.isEmpty ? [] : [FindingList.text(report.findings)]
        lines.append(
            "\(Counted.text(report.releases, "release")), "
                + "\(Counted.text(report.blobs, "blob")), \(ByteCount(report.bytes)): "
                + (isSound ? "sound" : "FAILED")
        )
        return lines.joined(separator: "\n")
    }
}
