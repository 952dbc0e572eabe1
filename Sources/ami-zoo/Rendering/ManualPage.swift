// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A manual page of section 1 in the macros of man(7).
struct ManualPage: Sendable {
    /// Commands that the page of the program lists together.
    struct Group: Sendable {
        let title: String
        let commands: [String]
    }

    /// Such as `ami-zoo-registry-init.1`.
    let fileName: String
    /// The roff source of the page.
    let text: String

    /// The page of a command.
    ///
    /// - Parameters:
    ///   - command: the command.
    ///   - groups: the groups of commands on the page of the program.
    ///   - version: the version of the program.
    ///   - date: the date that the page states, as YYYY-MM-DD.
    init(_ command: CommandDescription, groups: [Group], version: String, date: String) {
        let name = command.path.joined(separator: "-")
        let program = command.path[0]
        fileName = "\(name).1"
        var page = Roff()
        // The date is not escaped, because mandoc does not parse an escaped date.
        page.line(
            ".TH \"\(Roff.escaped(name.uppercased()))\" \"1\" \"\(date)\" "
                + "\"\(Roff.escaped("\(program) \(version)"))\""
        )
        page.macro("SH", ["NAME"])
        page.line("\(Roff.escaped(name)) \\-")
        page.prose(Self.withoutStop(command.abstract))
        page.macro("SH", ["SYNOPSIS"])
        page.line(Self.synopsis(command))
        page.macro("SH", ["DESCRIPTION"])
        page.prose(command.abstract)
        if let discussion = command.discussion {
            for paragraph in Self.paragraphs(discussion) {
                page.macro("PP")
                page.prose(paragraph)
            }
        }
        Self.list(command.arguments.filter(\.names.isEmpty), titled: "ARGUMENTS", in: &page)
        Self.listCommands(of: command, groups: command.path.count == 1 ? groups : [], in: &page)
        Self.list(command.arguments.filter { !$0.names.isEmpty }, titled: "OPTIONS", in: &page)
        if command.path.count == 1 {
            ProgramFacts.write(to: &page)
        } else {
            page.macro("SH", ["SEE ALSO"])
            page.line("\(Roff.bold(program))(1)")
        }
        text = page.text
    }

    private static func withoutStop(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    private static func paragraphs(_ text: String) -> [String] {
        text.split(separator: "\n\n").map { $0.split(separator: "\n").joined(separator: " ") }
    }

    private static func synopsis(_ command: CommandDescription) -> String {
        var words = [Roff.bold(command.path.joined(separator: " "))]
        if !command.subcommands.isEmpty { words.append(Roff.italic("command")) }
        words += command.arguments.filter { !$0.names.isEmpty && !$0.isOptional }.map(usage)
        if command.arguments.contains(where: { !$0.names.isEmpty && $0.isOptional }) {
            words.append("[\(Roff.italic("options"))]")
        }
        words += command.arguments.filter(\.names.isEmpty).map(usage)
        return words.joined(separator: "\n")
    }

    private static func usage(_ argument: CommandDescription.Argument) -> String {
        let value = argument.value.map(Roff.italic)
        let words = [argument.names.last.map(Roff.bold), value].compactMap(\.self)
        let text = words.joined(separator: " ") + (argument.isRepeating ? " ..." : "")
        return argument.isOptional ? "[\(text)]" : text
    }

    private static func list(
        _ arguments: [CommandDescription.Argument],
        titled title: String,
        in page: inout Roff
    ) {
        guard !arguments.isEmpty else { return }
        page.macro("SH", [title])
        for argument in arguments {
            page.macro("TP")
            let names = argument.names.map(Roff.bold).joined(separator: ", ")
            let value = argument.value.map(Roff.italic) ?? ""
            page.line([names, value].filter { !$0.isEmpty }.joined(separator: " "))
            let usual = argument.defaultValue.map { " Default: \($0)." } ?? ""
            page.prose(argument.help + usual)
        }
    }

    private static func listCommands(
        of command: CommandDescription,
        groups: [Group],
        in page: inout Roff
    ) {
        guard !command.subcommands.isEmpty else { return }
        page.macro("SH", ["COMMANDS"])
        guard !groups.isEmpty else {
            for subcommand in command.subcommands { list(subcommand, in: &page) }
            return
        }
        for group in groups {
            page.macro("SS", [group.title])
            for name in group.commands {
                guard let subcommand = command.subcommands.first(where: { $0.path.last == name })
                else { continue }
                list(subcommand, in: &page)
            }
        }
    }

    private static func list(_ command: CommandDescription, in page: inout Roff) {
        page.macro("TP")
        page.line("\(Roff.bold(command.path.joined(separator: "-")))(1)")
        page.prose(command.abstract)
    }
}

/// Source text for troff.
struct Roff: Sendable {
    private(set) var text = ""
    /// The maximum length of a source line in bytes; mandoc warns from 80 bytes on.
    private static let width = 72

    /// Adds a macro with its arguments.
    mutating func macro(_ name: String, _ arguments: [String] = []) {
        let quoted = arguments.map { " \"\(Self.escaped($0))\"" }
        text += ".\(name)\(quoted.joined())\n"
    }

    /// Adds a line that is already escaped.
    mutating func line(_ source: String) { text += "\(source)\n" }

    /// Adds a paragraph, with each sentence on a new line so that troff recognises its end.
    mutating func prose(_ paragraph: String) {
        var current = ""
        for word in paragraph.split(separator: " ") {
            let isNext = current.last.map { ".!?".contains($0) } ?? false
            let escaped = Self.escaped(String(word))
            if !current.isEmpty, isNext || current.utf8.count + escaped.utf8.count >= Self.width {
                line(current)
                current = ""
            }
            current += (current.isEmpty ? "" : " ") + escaped
        }
        if !current.isEmpty { line(current) }
    }

    /// Escapes text so that troff prints it unchanged.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "\"": result += "\\(dq"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case " "..."~": result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
                result += "\\[u\(zeros)\(digits)]"
            }
        }
        // A leading dot would begin a macro.
        return result.hasPrefix(".") ? "\\&\(result)" : result
    }

    static func bold(_ text: String) -> String { "\\fB\(escaped(text))\\fR" }
    static func italic(_ text: String) -> String { "\\fI\(escaped(text))\\fR" }
}
