// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooFiles

/// Where the data are that the user holds.
struct HeldDataOptions: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: ArgumentHelp(
            "Where data are that no registry may distribute: the name that a suite gives them, and a folder "
                + "or an archive. Repeatable.",
            valueName: "name=path"
        )
    )
    var given: [String] = []

    func validate() throws {
        var names: Set<String> = []
        for text in given {
            guard let (name, path) = Self.parts(text), !path.isEmpty else {
                throw ValidationError("'\(text)' is not a name and a path such as imagenet-1k=PATH")
            }
            guard names.insert(name).inserted else {
                throw ValidationError("--data gives '\(name)' twice")
            }
        }
    }

    /// The absolute paths, by name.
    var paths: [String: String] {
        Dictionary(
            given.compactMap(Self.parts).map { ($0.name, FileSystem.absolute($0.path)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private static func parts(_ text: String) -> (name: String, path: String)? {
        guard let sign = text.firstIndex(of: "=") else { return nil }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }
}
