// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The rules for names in archives that others made.
enum MemberName {
    /// What a name is used for.
    enum Purpose {
        /// The member is only read.
        case reading
        /// The member becomes a file with that name, which must be valid on every system.
        case extraction
    }

    private static let longest = 4096
    private static let longestComponent = 255
    private static let deepest = 32

    /// The checked form of a name; empty for the root.
    ///
    /// Without the `./` that `tar` writes before the content of a folder, and without the slash that
    /// ends the name of a folder.
    ///
    /// - Throws: ``ZooError`` with code `archive.name-unsafe`.
    static func checked(
        _ text: String,
        for purpose: Purpose,
        in archive: String
    ) throws(ZooError) -> String {
        // At the level of bytes, because a combining mark after a slash would hide the slash.
        var bytes = Substring(text).utf8
        if bytes.elementsEqual(".".utf8) { return "" }
        if bytes.starts(with: "./".utf8) { bytes = bytes.dropFirst(2) }
        if bytes.last == UInt8(ascii: "/"), bytes.count > 1 { bytes = bytes.dropLast() }
        let name = String(Substring(bytes))
        if name.isEmpty, !text.isEmpty { return "" }
        guard let rule = brokenRule(name, purpose) else { return name }
        throw unsafe(archive, "the name '\(escaped(name))', which \(rule)")
    }

    /// The error for a name that breaks a rule.
    static func unsafe(_ archive: String, _ what: String) -> ZooError {
        ZooError(
            .memberNameUnsafe,
            "the archive '\(archive)' has \(what)",
            remedy: "do not unpack this archive; tell its publisher"
        )
    }

    /// A key that is equal for two names that collide on some file system.
    static func collisionKey(_ name: String) -> String { name.uppercased().lowercased() }

    private static func brokenRule(_ name: String, _ purpose: Purpose) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > longest { return "is longer than \(longest) bytes" }
        if name.utf8.first == UInt8(ascii: "/") { return "is absolute" }
        if name.utf8.contains(UInt8(ascii: "\\")) { return "contains a backslash" }
        let start = Array(name.utf8.prefix(2))
        if start.count == 2, start[1] == UInt8(ascii: ":"), (start[0] | 0x20).isLetter {
            return "begins with a drive letter"
        }
        if name.unicodeScalars.contains(where: isControl) { return "contains a control character" }
        let components = name.utf8.split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        )
        if components.count > deepest { return "is deeper than \(deepest) folders" }
        for component in components {
            if component.isEmpty { return "has an empty component" }
            if component.elementsEqual(".".utf8) { return "has the component '.'" }
            if component.elementsEqual("..".utf8) { return "contains '..'" }
            if component.count > longestComponent {
                return "has a component longer than \(longestComponent) bytes"
            }
        }
        // The rules of releases are those for names that are valid on every system.
        if purpose == .extraction, (try? ReleasePath(parsing: name)) == nil {
            return "is not valid on every system"
        }
        return nil
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// A form of a hostile name that is safe to print.
    private static func escaped(_ name: String) -> String {
        name.unicodeScalars.prefix(200).map { isControl($0) ? $0.escaped(asASCII: true) : "\($0)" }
            .joined()
    }
}

extension UInt8 {
    /// Whether a lower-case ASCII letter.
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}
