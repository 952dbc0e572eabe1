// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles

/// Options that every command has.
struct OutputOptions: ParsableArguments {
    /// How progress is shown.
    enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
        case auto, json, none
    }

    @Flag(help: "Print the result as one JSON document.")
    var json = false

    @Flag(name: [.short, .long], help: "Print only the result.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Print details while the command runs.")
    var verbose = false

    @Option(
        help:
            "Progress on standard error: 'auto' (on a terminal), 'json' (one event per line) or 'none'."
    )
    var progress = ProgressStyle.auto
}

/// The result of a command, rendered as text for people or as JSON for programs.
protocol Report {
    /// The documented fields.
    var json: JSONValue { get }
    /// The text for people, without a final newline; its format is not stable.
    var text: String { get }
    /// 0, or the status of a check that found failures.
    var exitStatus: Int32 { get }
}

extension Report {
    var exitStatus: Int32 { 0 }
}

/// A command that prints one report.
protocol ReportingCommand: AsyncParsableCommand {
    associatedtype Outcome: Report
    var output: OutputOptions { get }
    /// The reference of the model that the command requests from a registry; nil if there is none.
    var requestedModel: String? { get }
    func report() async throws -> Outcome
}

extension ReportingCommand {
    var requestedModel: String? { nil }

    func run() async throws {
        Console.outliveReaders()
        let outcome: Outcome
        do {
            outcome = try await report()
            // Weights that cannot be read appear as zeros, which would make the result wrong.
            try MappedFile.requireAllIntact()
        } catch {
            throw Failure.show(
                ImportAdvice.added(to: error, about: requestedModel),
                json: output.json
            )
        }
        if output.json {
            Console.print(ResultNotes.added(to: outcome.json).prettyText, terminator: "")
        } else if !outcome.text.isEmpty {
            Console.print(outcome.text)
        }
        if outcome.exitStatus != 0 { throw ExitCode(outcome.exitStatus) }
    }
}
