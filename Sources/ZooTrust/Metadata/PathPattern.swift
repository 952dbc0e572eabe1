// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A pattern of target paths: `*` matches any run of characters and `?` one, but never a slash.
///
/// All other characters, brackets included, match themselves (specification 4.5).
package struct PathPattern: Hashable, Sendable {
    /// The text.
    package let text: String
    private let components: [[Unicode.Scalar]]

    /// Creates a pattern.
    package init(_ text: String) {
        self.text = text
        components = Self.components(of: text)
    }

    /// Whether the pattern matches a whole path; upper and lower case differ.
    package func matches(_ path: String) -> Bool {
        let path = Self.components(of: path)
        return path.count == components.count
            && zip(components, path).allSatisfy { Self.matches($0, $1) }
    }

    private static func components(of text: String) -> [[Unicode.Scalar]] {
        text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).map(Array.init)
    }

    /// Matches one component in time proportional to the product of the lengths at worst.
    private static func matches(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Bool {
        var (position, index) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while position < text.count {
            if index < pattern.count, pattern[index] == "*" {
                star = (index, position)
                index += 1
            } else if index < pattern.count,
                pattern[index] == "?" || pattern[index] == text[position]
            {
                index += 1
                position += 1
            } else if let last = star {
                // Only the last star needs to be tried again.
                star = (last.pattern, last.text + 1)
                index = last.pattern + 1
                position = last.text + 1
            } else {
                return false
            }
        }
        return pattern[index...].allSatisfy { $0 == "*" }
    }
}
