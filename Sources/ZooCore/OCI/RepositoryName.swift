// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The name of a repository of an OCI registry, such as `ami/ball-drop`.
///
/// Every ``ModelName`` is one. Source: opencontainers/distribution-spec, "Pulling manifests", version 1.1.
public struct RepositoryName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The text form.
    public let description: String

    /// The repository of a model or data set.
    public init(_ name: ModelName) { description = name.description }

    /// Parses a repository name of at most 255 characters.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed`.
    public init(parsing text: String) throws(ZooError) {
        let components = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...255).contains(text.utf8.count), components.allSatisfy(Self.isComponent) else {
            throw ZooError(
                .referenceMalformed,
                "'\(text.prefix(280))' is not the name of a repository",
                remedy: "a name is lower-case words separated by '/', such as 'ami/ball-drop'"
            )
        }
        description = text
    }

    /// Whether a component is `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
    private static func isComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var afterWord = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                (separator, afterWord) = ([], true)
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                guard afterWord || !separator.isEmpty else { return false }
                separator.append(byte)
                afterWord = false
                guard
                    separator.count == 1 || separator.allSatisfy({ $0 == UInt8(ascii: "-") })
                        || separator == Array("__".utf8)
                else { return false }
            default: return false
            }
        }
        return afterWord
    }

    /// The first component, to which the scopes of tokens refer.
    public var namespace: String {
        String(description.prefix { $0 != "/" })
    }

    /// The model or data set of that name; nil when the name does not have the form of one.
    public var modelName: ModelName? { try? ModelName(parsing: description) }

    /// Orders by text.
    public static func < (left: Self, right: Self) -> Bool {
        left.description < right.description
    }
}

/// A tag of an OCI repository: 1 to 128 letters, digits, `_`, `.` and `-`; the first is neither `.` nor `-`.
///
/// Source: opencontainers/distribution-spec, "Pulling manifests", version 1.1.
public struct OCITag: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The tag under which an index document lies on a registry of another kind.
    public static let index = OCITag(known: "_index")

    /// The text form.
    public let description: String

    private init(known text: String) { description = text }

    /// Parses a tag; nil for any other text.
    public init?(parsing text: String) {
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first,
            first != UInt8(ascii: "."), first != UInt8(ascii: "-"),
            text.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            })
        else { return nil }
        description = text
    }

    /// The tag of a version; SemVer text without build metadata is a valid tag.
    public init(_ version: SemanticVersion) { description = version.description }

    /// Orders by text, as the list of tags does.
    public static func < (left: Self, right: Self) -> Bool {
        left.description < right.description
    }
}

/// What names a manifest in a request.
public enum ManifestReference: Hashable, Sendable, CustomStringConvertible {
    /// A tag, which may move.
    case tag(OCITag)
    /// A digest.
    case digest(BlobDigest)

    /// Parses a tag or a digest; nil for any other text.
    public init?(parsing text: String) {
        if let digest = try? BlobDigest(parsing: text) {
            self = .digest(digest)
        } else if let tag = OCITag(parsing: text) {
            self = .tag(tag)
        } else {
            return nil
        }
    }

    /// The text form.
    public var description: String {
        switch self {
        case .tag(let tag): tag.description
        case .digest(let digest): digest.description
        }
    }
}
