// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore

/// Checks the command names on a command line before the parser reads it.
///
/// The parser reports an unknown command as an unexpected argument.
enum CommandNames {
    /// Checks that the leading words name commands.
    ///
    /// - Parameters:
    ///   - arguments: the command line without the name of the program.
    ///   - root: the command that the first word belongs to.
    /// - Throws: ``ZooError`` with code `command.unknown`.
    static func check(
        _ arguments: [String],
        of root: any ParsableCommand.Type
    ) throws(ZooError) {
        var command: any ParsableCommand.Type = root
        var path = [root._commandName]
        var words = arguments[...]
        // `help pull` is `pull --help`.
        if words.first == "help" { words = words.dropFirst() }
        for word in words {
            let subcommands = command.configuration.subcommands
            // The parser handles options and the arguments of commands without subcommands.
            guard !subcommands.isEmpty, !word.hasPrefix("-") else { return }
            guard let next = subcommands.first(where: { $0._commandName == word }) else {
                throw unknown(word, after: path, among: subcommands)
            }
            command = next
            path.append(word)
        }
    }

    private static func unknown(
        _ word: String,
        after path: [String],
        among subcommands: [any ParsableCommand.Type]
    ) -> ZooError {
        let shown = subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
        let nearest = NearestNames(to: word, among: shown)
        let asked = (path.dropFirst() + [String(word.prefix(64))]).joined(separator: " ")
        return ZooError(
            .commandUnknown,
            ["unknown command '\(asked)'", nearest.question].compactMap(\.self)
                .joined(separator: "; "),
            remedy: "run '\(path.joined(separator: " ")) --help' to list the commands"
        )
    }
}

extension ZooError.Code {
    /// The command line names a command that does not exist.
    static let commandUnknown = Self("command.unknown", .usage)
}
