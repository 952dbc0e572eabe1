// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A movable pointer to versions, such as `stable` or `candidate`.
public struct ChannelName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The text form: a lower-case letter, then letters, digits and single hyphens.
    public let text: String

    /// The default channel of a reference without a version.
    public static let stable = ChannelName(known: "stable")
    /// The channel of pre-releases.
    public static let candidate = ChannelName(known: "candidate")

    private init(known text: String) { self.text = text }

    /// Parses a channel name.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed`.
    public init(parsing text: String) throws(ZooError) {
        guard ModelName.isWord(text), text.utf8.count <= 32, let first = text.first,
            first.isLetter, !text.contains("."), !text.contains("_")
        else {
            throw ZooError(
                .referenceMalformed,
                "'\(text.prefix(80))' is neither a version nor a channel",
                remedy: "write a version such as '1.2.0' or a channel such as 'stable'"
            )
        }
        self.text = text
    }

    /// The text form.
    public var description: String { text }

    /// Orders by text.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
