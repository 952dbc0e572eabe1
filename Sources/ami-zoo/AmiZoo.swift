// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser

/// The command line of ami-zoo.
@main
struct AmiZoo: AsyncParsableCommand {
    /// The version of this program, shown by `--version` and sent to servers.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "ami-zoo",
        abstract: "A model zoo and checkpoint registry for JEPA world models.",
        discussion: """
            A model is named namespace/name[:version|:channel][@sha256:digest], such as \
            ami/ball-drop or ami/ball-drop:1.0.0.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Get models",
                subcommands: [
                    PullCommand.self, ListCommand.self, ShowCommand.self, VersionsCommand.self,
                    VerifyCommand.self, RepairCommand.self, CacheCommand.self,
                ]
            ),
            CommandGroup(
                name: "Use models",
                subcommands: [
                    InspectCommand.self, EmbedCommand.self, FeaturesCommand.self,
                    ClassifyCommand.self, PredictCommand.self, SurpriseCommand.self,
                    PlanCommand.self,
                ]
            ),
            CommandGroup(
                name: "Publish models",
                subcommands: [
                    ImportCommand.self, ConvertCommand.self, ExportCommand.self, PackCommand.self,
                    RegistryCommand.self,
                    ServeCommand.self,
                ]
            ),
        ]
    )
}
