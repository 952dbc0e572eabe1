// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A search in a catalogue.
package struct CatalogueQuery: Sendable, Equatable {
    /// The words, each of which a word of the entry must begin with; empty for everything.
    package var text = ""
    /// Only this kind of artifact; nil for all.
    package var kind: ArtifactKind?
    /// Only this family; nil for all.
    package var family: String?
    /// Only this SPDX licence expression; nil for all.
    package var licence: String?
    /// Only this modality; nil for all.
    package var modality: String?
    /// The number of entries to return.
    package var limit = Self.standardLimit
    /// The number of entries to skip.
    package var offset = 0

    /// The number of entries that a search returns without a limit.
    package static let standardLimit = 20
    /// The largest number of entries that one search returns.
    package static let largestLimit = 1000
    /// The number of words that are used; others are ignored.
    private static let words = 16

    /// Creates a query for everything.
    package init() {}

    /// The expression of the full-text index; nil when there is no word.
    ///
    /// Words are quoted, so that no text is an operator.
    var expression: String? {
        let words = text.split { !$0.isLetter && !$0.isNumber }.prefix(Self.words)
        guard !words.isEmpty else { return nil }
        return words.map { "\"\($0.prefix(64))\"*" }.joined(separator: " ")
    }

    /// Whether the text has characters but no word, so that nothing matches.
    var isHopeless: Bool { expression == nil && text.contains { !$0.isWhitespace } }
}

/// The result of a search.
package struct CatalogueMatches: Sendable {
    /// The best entries, best first; in ascending order of names when the query has no words.
    package let entries: [RegistryCatalogue.Entry]
    /// The number of all entries that match.
    package let total: Int
}
