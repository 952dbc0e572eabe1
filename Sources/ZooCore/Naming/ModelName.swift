// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The name of a model: `namespace/name`, such as `ami/ball-drop`.
///
/// Each part has at most 64 characters and is valid in OCI repository names: lower-case letters and
/// digits, separated by single `.`, `_` or `-`.
public struct ModelName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The publisher.
    public let namespace: String
    /// The name of the model in its namespace.
    public let name: String

    /// Parses `namespace/name`.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed`.
    public init(parsing text: String) throws(ZooError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(Self.isWord) else {
            throw ZooError(
                .referenceMalformed,
                "'\(text.prefix(140))' is not a model name",
                remedy: "a name is 'namespace/name' in lower case, such as 'ami/ball-drop'"
            )
        }
        namespace = parts[0]
        name = parts[1]
    }

    package static func isWord(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count) else { return false }
        var separated = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                separated = false
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                if separated { return false }
                separated = true
            default: return false
            }
        }
        return !separated
    }

    /// `namespace/name`.
    public var description: String { "\(namespace)/\(name)" }

    /// Orders by namespace, then name.
    public static func < (left: Self, right: Self) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
