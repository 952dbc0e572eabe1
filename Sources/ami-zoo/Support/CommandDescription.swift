// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// A command as the parser describes it in `--experimental-dump-help`, with its subcommands.
struct CommandDescription: Sendable {
    /// An argument, option or flag.
    struct Argument: Sendable {
        /// The names with their dashes, such as `-q` and `--quiet`; none of a positional argument.
        let names: [String]
        /// The placeholder of its value; nil for a flag.
        let value: String?
        /// The help, which ends with a full stop.
        let help: String
        /// The default value, if there is one.
        let defaultValue: String?
        let isOptional: Bool
        let isRepeating: Bool
    }

    /// The names from the program to this command.
    let path: [String]
    let abstract: String
    let discussion: String?
    let arguments: [Argument]
    let subcommands: [CommandDescription]

    /// Parses the output of `--experimental-dump-help`.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code if the structure differs.
    init(parsing text: String) throws(ZooError) {
        let document = try JSONObject(try JSONValue(parsing: Array(text.utf8)))
        self = try Self(document.object("command"), below: [])
    }

    private init(_ object: JSONObject, below parents: [String]) throws(ZooError) {
        path = parents + [try object.string("commandName")]
        abstract = object.prose("abstract") ?? ""
        discussion = object.prose("discussion")
        var arguments: [Argument] = []
        if object.value("arguments") != nil {
            for item in try object.objects("arguments", maximum: 1000) where Self.isShown(item) {
                arguments.append(try Argument(item))
            }
        }
        self.arguments = arguments
        var subcommands: [CommandDescription] = []
        if object.value("subcommands") != nil {
            for item in try object.objects("subcommands", maximum: 1000) where Self.isShown(item) {
                // The parser adds this command, which is equivalent to --help.
                guard try item.string("commandName") != "help" else { continue }
                subcommands.append(try Self(item, below: path))
            }
        }
        self.subcommands = subcommands
    }

    private static func isShown(_ object: JSONObject) -> Bool {
        object.value("shouldDisplay") != .bool(false)
    }

    /// This command and all below it.
    var all: [CommandDescription] { [self] + subcommands.flatMap(\.all) }
}

extension CommandDescription.Argument {
    fileprivate init(_ object: JSONObject) throws(ZooError) {
        var names: [String] = []
        if object.value("names") != nil {
            for item in try object.objects("names", maximum: 16) {
                let dashes = try item.string("kind") == "long" ? "--" : "-"
                names.append(dashes + (try item.string("name")))
            }
        }
        self.names = names
        let isFlag = try object.string("kind") == "flag"
        value = isFlag ? nil : try object.optionalString("valueName")
        help = [object.prose("abstract"), object.prose("discussion")].compactMap(\.self)
            .joined(separator: " ")
        defaultValue = isFlag ? nil : object.prose("defaultValue")
        isOptional = object.value("isOptional") == .bool(true)
        isRepeating = object.value("isRepeating") == .bool(true)
    }
}

extension JSONObject {
    /// A string that may have several lines, which `string(_:)` rejects.
    fileprivate func prose(_ name: String) -> String? {
        guard case .string(let text)? = value(name) else { return nil }
        return text
    }
}
