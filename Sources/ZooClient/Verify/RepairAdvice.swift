// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The command that repairs a folder, as a shell takes it.
struct RepairAdvice: CustomStringConvertible {
    let description: String

    /// Creates the command.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - registry: the registry to repair from; nil for the one that `repair` reads by default.
    init(_ folder: String, from registry: String? = nil) {
        var words = ["ami-zoo", "repair", folder]
        if let registry { words += ["--registry", registry] }
        description = words.map(Self.quoted).joined(separator: " ")
    }

    private static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard !isPlain else { return word }
        return "'"
            + word.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: #"'\''"#) + "'"
    }
}
