// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The command that repairs a folder, as a shell takes it.
struct RepairAdvice: CustomStringConvertible {
    /// The registry to repair from.
    enum Origin {
        /// The one that `repair` reads by default.
        case usual
        /// The one at this address.
        case registry(String)
        /// The one that the model was pulled from, which no document states.
        case unknown
    }

    let description: String

    /// Creates the command.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - origin: the registry to repair from.
    init(_ folder: String, from origin: Origin = .usual) {
        let command = "ami-zoo repair \(Self.quoted(folder))"
        description =
            switch origin {
            case .usual: command
            case .registry(let address): "\(command) --registry \(Self.quoted(address))"
            case .unknown:
                "\(command) --registry URL (URL: the registry that the model was pulled from)"
            }
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
