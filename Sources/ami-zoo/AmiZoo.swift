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
            A reference names a model: namespace/name[:version|:channel][@sha256:digest], such as \
            ami/ball-drop or ami/ball-drop:1.0.0.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Get models",
                subcommands: [
                    PullCommand.self, LockCommand.self, ListCommand.self, SearchCommand.self,
                    ShowCommand.self, VersionsCommand.self, VerifyCommand.self, RepairCommand.self,
                    RemoveCommand.self, CacheCommand.self,
                ]
            ),
            CommandGroup(
                name: "Run models",
                subcommands: [
                    EmbedCommand.self, FeaturesCommand.self, ClassifyCommand.self,
                    PredictCommand.self, SurpriseCommand.self, PlanCommand.self,
                    EvaluateCommand.self, ValidateCommand.self,
                ]
            ),
            CommandGroup(
                name: "Make and publish",
                subcommands: [
                    InspectCommand.self, ImportCommand.self, ConvertCommand.self,
                    ExportCommand.self, PackCommand.self, KeysCommand.self, SignCommand.self,
                    PublishCommand.self, YankCommand.self, UnyankCommand.self, ChannelCommand.self,
                    LoginCommand.self, LogoutCommand.self,
                ]
            ),
            CommandGroup(
                name: "Operate registries",
                subcommands: [
                    RegistryCommand.self, TrustCommand.self, ServeCommand.self, TokenCommand.self,
                    ManualCommand.self,
                ]
            ),
        ]
    )

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try CommandNames.check(arguments, of: Self.self)
        } catch {
            exit(withError: Failure.show(error, json: arguments.contains("--json")))
        }
        await main(arguments)
    }
}
