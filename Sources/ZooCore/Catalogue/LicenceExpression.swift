// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An SPDX licence expression, such as `MIT OR (Apache-2.0 WITH LLVM-exception)`.
///
/// Source: SPDX specification 2.3, annex D. Identifiers are not looked up in the SPDX list.
package indirect enum LicenceExpression: Sendable, Equatable {
    /// One licence, with the exception that applies to it, if any.
    case licence(String, exception: String? = nil)
    /// All of these licences apply: `AND`.
    case all([LicenceExpression])
    /// The user chooses one of these licences: `OR`.
    case any([LicenceExpression])

    /// The restriction that a licence imposes, from least to most restrictive.
    package enum Restriction: Int, Comparable, Sendable {
        /// A licence of the SPDX list that permits commercial use.
        case none
        /// The publisher uses its own terms: `LicenseRef-…`.
        case ownTerms
        /// The licence excludes commercial use.
        case nonCommercial

        /// Orders from least to most restrictive.
        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Parses an expression.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    package init(parsing text: String) throws(ZooError) {
        var parser = Parser(text)
        self = try parser.expression(depth: 0)
        guard parser.isAtEnd else { throw parser.invalid }
    }

    /// The restriction of the least restrictive alternative.
    package var restriction: Restriction {
        switch self {
        case .licence(let identifier, _): Self.restriction(of: identifier)
        case .all(let parts): parts.map(\.restriction).max() ?? .none
        case .any(let parts): parts.map(\.restriction).min() ?? .none
        }
    }

    private static func restriction(of identifier: String) -> Restriction {
        if identifier.contains("LicenseRef-") { return .ownTerms }
        // CC-BY-NC-4.0 and its variants, PolyForm-Noncommercial-1.0.0, NCGL-UK-2.0.
        let parts = identifier.split(separator: "-").map { $0.lowercased() }
        let isNonCommercial = parts.contains { ["nc", "noncommercial", "ncgl"].contains($0) }
        return isNonCommercial ? .nonCommercial : .none
    }

    private struct Parser {
        private let text: String
        private var words: ArraySlice<String>

        init(_ text: String) {
            self.text = text
            let spaced = text.replacing("(", with: " ( ").replacing(")", with: " ) ")
            words = spaced.split(separator: " ").map { String($0) }[...]
        }

        var isAtEnd: Bool { words.isEmpty }

        var invalid: ZooError {
            ZooError(
                .fieldInvalid,
                "'\(text.prefix(200))' is not an SPDX licence expression",
                remedy: "use an identifier from spdx.org/licenses or 'LicenseRef-<name>', or "
                    + "combine several with AND, OR and WITH"
            )
        }

        mutating func expression(depth: Int) throws(ZooError) -> LicenceExpression {
            // The expression is untrusted input; the limit prevents a stack overflow.
            guard depth < 32 else { throw invalid }
            var alternatives = [try conjunction(depth: depth)]
            while take("OR") { alternatives.append(try conjunction(depth: depth)) }
            return alternatives.count == 1 ? alternatives[0] : .any(alternatives)
        }

        private mutating func conjunction(depth: Int) throws(ZooError) -> LicenceExpression {
            var parts = [try term(depth: depth)]
            while take("AND") { parts.append(try term(depth: depth)) }
            return parts.count == 1 ? parts[0] : .all(parts)
        }

        private mutating func term(depth: Int) throws(ZooError) -> LicenceExpression {
            if take("(") {
                let inner = try expression(depth: depth + 1)
                guard take(")") else { throw invalid }
                return inner
            }
            let identifier = try identifier()
            return .licence(identifier, exception: take("WITH") ? try self.identifier() : nil)
        }

        private mutating func identifier() throws(ZooError) -> String {
            guard let word = words.popFirst(), !["AND", "OR", "WITH", "(", ")"].contains(word),
                word.wholeMatch(of: /(DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9.-]+\+?/) != nil
            else { throw invalid }
            return word
        }

        private mutating func take(_ word: String) -> Bool {
            guard words.first == word else { return false }
            words.removeFirst()
            return true
        }
    }
}
