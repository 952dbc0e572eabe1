// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// The command line that tuf-conformance prescribes (`CLIENT-CLI.md`).
struct Arguments {
    /// What to do.
    enum Command {
        /// Trust the root metadata in a file.
        case initialize(root: String)
        /// Update the metadata.
        case refresh(metadata: String)
        /// Update the metadata, then fetch targets in order.
        case download(metadata: String, targets: String, names: [String], folder: String)
    }

    /// The folder with the trusted metadata.
    let folder: String
    /// What to do.
    let command: Command

    /// Reads arguments without the program's name.
    ///
    /// - Throws: `ZooError` with code `trust.conformance-usage`.
    init(_ arguments: [String]) throws(ZooError) {
        var options: [String: [String]] = [:]
        var words: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                words.append(argument)
                continue
            }
            guard let value = rest.popFirst() else { throw Self.usage("\(argument) has no value") }
            options[argument, default: []].append(value)
        }
        func value(_ name: String) throws(ZooError) -> String {
            guard let value = options[name]?.last else { throw Self.usage("\(name) is missing") }
            return value
        }
        folder = try value("--metadata-dir")
        switch words.first {
        case "init" where words.count == 2: command = .initialize(root: words[1])
        case "refresh": command = .refresh(metadata: try value("--metadata-url"))
        case "download":
            command = .download(
                metadata: try value("--metadata-url"),
                targets: try value("--target-base-url"),
                names: options["--target-name"] ?? [],
                folder: try value("--target-dir")
            )
        default: throw Self.usage("the command is not init FILE, refresh or download")
        }
    }

    private static func usage(_ problem: String) -> ZooError {
        ZooError(
            .conformanceUsage,
            problem,
            remedy: "see CLIENT-CLI.md of theupdateframework/tuf-conformance"
        )
    }
}

extension ZooError.Code {
    /// The command line of the conformance client is invalid.
    static let conformanceUsage = Self("trust.conformance-usage", .usage)
}
