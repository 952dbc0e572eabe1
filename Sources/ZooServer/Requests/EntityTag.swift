// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// An entity tag, which identifies a version of a file (RFC 9110 section 8.8.3).
struct EntityTag: Equatable, Sendable {
    /// The text between the quotes.
    let opaque: String
    /// Whether the tag has the prefix `W/`; weak tags are invalid for ranges.
    let isWeak: Bool

    /// Creates a strong tag from a digest.
    init(_ digest: ContentDigest) {
        opaque = digest.description
        isWeak = false
    }

    /// Creates a strong tag from a digest of any algorithm.
    init(_ digest: BlobDigest) {
        opaque = digest.description
        isWeak = false
    }

    private init(opaque: String, isWeak: Bool) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// The text form in a header.
    var text: String { (isWeak ? "W/" : "") + "\"\(opaque)\"" }

    /// Strong comparison, for `If-Match` and `If-Range`.
    func isStrongly(_ other: EntityTag) -> Bool { !isWeak && self == other }

    /// Weak comparison, for `If-None-Match`.
    func isWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }
}

extension EntityTag {
    /// The value of `If-Match` or `If-None-Match`.
    enum Condition: Equatable, Sendable {
        /// `*`: any existing file.
        case any
        /// A list of tags; empty when the header is malformed, so that nothing matches.
        case tags([EntityTag])

        /// Parses a header value.
        init(parsing header: String) {
            if header == "*" {
                self = .any
            } else {
                self = .tags(EntityTag.list(header) ?? [])
            }
        }

        /// Whether the condition matches `tag` with the given comparison.
        func matches(_ tag: EntityTag, by isSame: (EntityTag, EntityTag) -> Bool) -> Bool {
            switch self {
            case .any: true
            case .tags(let tags): tags.contains { isSame($0, tag) }
            }
        }
    }

    /// Parses exactly one tag, as in `If-Range`; nil for a date or a malformed value.
    init?(parsing header: String) {
        guard let tags = Self.list(header), tags.count == 1 else { return nil }
        self = tags[0]
    }

    /// Parses a comma-separated list by scanning, because a tag may contain commas.
    private static func list(_ header: String) -> [EntityTag]? {
        var tags: [EntityTag] = []
        var rest = Substring(header)
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            if rest.isEmpty { return tags }
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"" else { return nil }
            rest = rest.dropFirst()
            guard let quote = rest.firstIndex(of: "\"") else { return nil }
            tags.append(EntityTag(opaque: String(rest[..<quote]), isWeak: isWeak))
            rest = rest[rest.index(after: quote)...].drop { $0 == " " || $0 == "\t" }
            guard rest.isEmpty || rest.first == "," else { return nil }
        }
    }
}
