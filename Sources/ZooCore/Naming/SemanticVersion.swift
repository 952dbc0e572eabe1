// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A SemVer 2.0.0 version without build metadata: `1.2.0`, `2.0.0-rc.1`.
public struct SemanticVersion: Hashable, Sendable {
    /// The major, minor and patch numbers.
    public let numbers: [Int]
    /// The dot-separated identifiers after `-`; empty for a release.
    public let prerelease: [String]

    /// Parses a version.
    ///
    /// - Throws: ``ZooError`` with code `version.malformed`.
    public init(parsing text: String) throws(ZooError) {
        guard let version = Self.read(text) else {
            throw ZooError(
                .versionMalformed,
                "'\(text.prefix(80))' is not a version",
                remedy: "write major.minor.patch, such as '1.2.0', without build metadata"
            )
        }
        self = version
    }

    private init(numbers: [Int], prerelease: [String]) {
        self.numbers = numbers
        self.prerelease = prerelease
    }

    private static func read(_ text: String) -> SemanticVersion? {
        guard text.utf8.count <= 64 else { return nil }
        let (core, suffix) = text.split(atFirst: "-")
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { isNumber($0) && $0.utf8.count <= 9 ? Int($0) : nil }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        guard let suffix else { return SemanticVersion(numbers: numbers, prerelease: []) }
        let identifiers = suffix.split(separator: ".", omittingEmptySubsequences: false)
        let legal = identifiers.allSatisfy { identifier in
            let digits = identifier.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return !identifier.isEmpty
                && identifier.unicodeScalars.allSatisfy {
                    $0.isASCII
                        && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-")
                } && (!digits || (isNumber(identifier) && identifier.utf8.count <= 9))
        }
        return legal
            ? SemanticVersion(numbers: numbers, prerelease: identifiers.map(String.init)) : nil
    }

    /// Whether `text` is digits without a leading zero.
    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && (text.utf8.count == 1 || text.utf8.first != 0x30)
    }

    /// Whether this is a pre-release.
    public var isPrerelease: Bool { !prerelease.isEmpty }
}

extension SemanticVersion: Comparable {
    /// Orders by SemVer 2.0.0 section 11: by number, and a pre-release before its release.
    public static func < (left: Self, right: Self) -> Bool {
        if left.numbers != right.numbers {
            return left.numbers.lexicographicallyPrecedes(right.numbers)
        }
        if left.isPrerelease != right.isPrerelease { return left.isPrerelease }
        for (one, other) in zip(left.prerelease, right.prerelease) where one != other {
            switch (number(one), number(other)) {
            case (let one?, let other?): return one < other
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return one.utf8.lexicographicallyPrecedes(other.utf8)
            }
        }
        return left.prerelease.count < right.prerelease.count
    }

    /// The value of a numeric identifier; nil for `-1`, which `Int` would accept.
    private static func number(_ identifier: String) -> Int? {
        identifier.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(identifier) : nil
    }
}

extension SemanticVersion: CustomStringConvertible {
    /// The text form.
    public var description: String {
        let core = numbers.map(String.init).joined(separator: ".")
        return isPrerelease ? core + "-" + prerelease.joined(separator: ".") : core
    }
}

extension StringProtocol {
    /// The text before the first `separator`, and the text after it; nil without a separator.
    func split(atFirst separator: Character) -> (head: SubSequence, tail: SubSequence?) {
        guard let position = firstIndex(of: separator) else { return (self[...], nil) }
        return (self[..<position], self[index(after: position)...])
    }
}
