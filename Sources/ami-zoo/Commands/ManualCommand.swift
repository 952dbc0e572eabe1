// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles

/// `ami-zoo manual`, which `scripts/install` runs; hidden, because users read its pages with `man`.
struct ManualCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Write the manual pages of all commands.",
        shouldDisplay: false
    )

    @Argument(help: "The folder to write the pages to, such as share/man/man1.")
    var folder: String

    @Option(help: "The date that the pages state, as YYYY-MM-DD.")
    var date: String

    @OptionGroup var output: OutputOptions

    func validate() throws {
        let parts = date.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.joined().utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw ValidationError("--date must be YYYY-MM-DD") }
    }

    func report() async throws -> ManualOutcome {
        let folder = FileSystem.absolute(folder)
        let commands = try CommandDescription(parsing: AmiZoo._dumpHelp())
        let groups = AmiZoo.configuration.groupedSubcommands.map {
            ManualPage.Group(title: $0.name, commands: $0.subcommands.map { $0._commandName })
        }
        let pages = commands.all.map { command in
            ManualPage(command, groups: groups, version: AmiZoo.version, date: date)
        }
        try await BlockingWork.run { _ in
            try FileSystem.createFolder(folder)
            for page in pages {
                try FileSystem.writeAtomically("\(folder)/\(page.fileName)", Array(page.text.utf8))
            }
        }
        return ManualOutcome(folder: folder, pages: pages.map(\.fileName))
    }
}

struct ManualOutcome: Report {
    let folder: String
    let pages: [String]

    var json: JSONValue {
        ["path": .string(folder), "pages": .array(pages.map(JSONValue.string))]
    }
    var text: String { pages.joined(separator: "\n") }
}
