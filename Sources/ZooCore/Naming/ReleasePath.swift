// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The path of a file inside a release: relative, `/`-separated and portable.
///
/// A parsed path cannot escape the folder it is appended to, cannot name a device, and is valid on
/// Linux, macOS and Windows.
public struct ReleasePath: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The text form.
    public let text: String

    /// Parses a path.
    ///
    /// - Throws: ``ZooError`` with code `release.path-unsafe`, with the violated rule in its message.
    public init(parsing text: String) throws(ZooError) {
        if let broken = Self.brokenRule(text) {
            throw ZooError(
                .pathUnsafe,
                "the path '\(text.prefix(200))' \(broken)",
                remedy: "do not use this release; tell its publisher"
            )
        }
        self.text = text
    }

    /// The path's components.
    public var components: [String] { Self.split(text) }

    /// The text form.
    public var description: String { text }

    /// Whether two paths have the same UTF-8 bytes, as file systems compare them.
    public static func == (left: Self, right: Self) -> Bool { left.text.isExactly(right.text) }

    /// Hashes the UTF-8 bytes.
    public func hash(into hasher: inout Hasher) { ExactName(text).hash(into: &hasher) }

    /// Orders by UTF-8 bytes, the order of members in an archive.
    public static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// A key that is equal for two paths that collide on some file system.
    ///
    /// The case is folded by the full upper-case mapping followed by the full lower-case mapping, so
    /// that `ß`, `ſ` and `ς` equal `ss`, `s` and `σ`. Swift compares strings by canonical equivalence,
    /// so NFC and NFD forms are equal.
    public var collisionKey: String { text.uppercased().lowercased() }

    private static func brokenRule(_ text: String) -> String? {
        if text.isEmpty { return "is empty" }
        if text.utf8.count > 1024 { return "is longer than 1024 bytes" }
        if text.utf8.first == slash { return "is absolute" }
        if text.unicodeScalars.contains(where: { forbidden.contains($0) || isControl($0) }) {
            return "contains a character that is not portable"
        }
        let components = split(text)
        if components.count > 32 { return "is deeper than 32 folders" }
        for component in components {
            if let broken = brokenRule(component: component) { return broken }
        }
        if components[0].lowercased() == ".ami-zoo" { return "is reserved for the local store" }
        return nil
    }

    private static func brokenRule(component: String) -> String? {
        if component.isEmpty || component == "." { return "has an empty component" }
        if component == ".." { return "contains '..'" }
        if component.utf8.count > 255 { return "has a component longer than 255 bytes" }
        // The mark would combine with the preceding slash, and programs would split differently.
        if let first = component.unicodeScalars.first, isMark(first) {
            return "has a component that begins with a combining mark"
        }
        if component.utf8.last == dot || component.utf8.last == space {
            return "has a component that ends in a dot or a space"
        }
        // Windows matches device names against the text before the first dot, less trailing spaces.
        var stem = component.utf8.prefix { $0 != dot }
        while stem.last == space { stem.removeLast() }
        if devices.contains(String(Substring(stem)).lowercased()) { return "names a device" }
        return nil
    }

    /// Splits at the byte `/`, as file systems do.
    ///
    /// Splitting by `Character` would miss a slash followed by a combining mark.
    private static func split(_ text: String) -> [String] {
        text.utf8.split(separator: slash, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")
    private static let space = UInt8(ascii: " ")
    private static let forbidden = Set("\\:*?\"<>|".unicodeScalars)
    /// Source: Microsoft, "Naming Files, Paths, and Namespaces", which includes superscript digits.
    private static let devices = Set(
        ["con", "prn", "aux", "nul", "conin$", "conout$"]
            + "0123456789¹²³".flatMap { ["com\($0)", "lpt\($0)"] }
    )

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: false
        }
    }
}
