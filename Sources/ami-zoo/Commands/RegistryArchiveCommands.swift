// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles

/// `ami-zoo registry export`.
struct RegistryExportCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Copy releases and their attachments into one file.",
        discussion: """
            The file is for machines without a network: 'ami-zoo registry import' reads it there. It \
            is a tar of a registry folder, and an OCI image layout, which skopeo reads as \
            'oci-archive:FILE'. Writing it takes twice its size of disk for a while.
            """
    )

    @Argument(help: "The file to write.")
    var file: String

    @Argument(
        help: ArgumentHelp(
            "The models, data sets or versions to copy. Default: all of the registry.",
            valueName: "reference"
        )
    )
    var references: [String] = []

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> MirrorOutcome {
        let selections = try references.map { try RegistryMirror.Selection(parsing: $0) }
        let view = PullProgressView(output)
        defer { view.close() }
        let source = try Surroundings().registry(registry, network) { view.note($0) }
        let path = FileSystem.absolute(file)
        let (clock, start) = (ContinuousClock(), ContinuousClock.now)
        let report = try await Interruption.cancelling {
            try await RegistryArchive.export(selections, from: source, to: path) { view.show($0) }
        }
        view.close()
        return MirrorOutcome(
            source: source.source.address,
            destination: path,
            report: report,
            time: clock.now - start
        )
    }
}

/// `ami-zoo registry import`.
struct RegistryImportCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Publish the releases of a file that 'registry export' wrote.",
        discussion: """
            Every blob and every release is checked before it is published. Run the same command \
            again after an interruption.
            """
    )

    @Argument(help: "The file.")
    var file: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> MirrorOutcome {
        let view = PullProgressView(output)
        defer { view.close() }
        let surroundings = Surroundings()
        let target = try await surroundings.target(registry, network, signing) { view.note($0) }
        let path = FileSystem.absolute(file)
        let (clock, start) = (ContinuousClock(), ContinuousClock.now)
        let report = try await Interruption.cancelling {
            try await RegistryArchive.import(
                path,
                opening: { try surroundings.registry(folder: $0, network) },
                to: target,
                spool: surroundings.spool
            ) { view.show($0) }
        }
        view.close()
        return MirrorOutcome(
            source: path,
            destination: target.address,
            report: report,
            time: clock.now - start
        )
    }
}
