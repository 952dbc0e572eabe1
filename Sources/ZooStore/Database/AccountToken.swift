// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A right that a token gives: a level in a namespace.
package struct TokenScope: Sendable, Hashable, Comparable {
    /// What a token allows; each level includes the ones before it.
    package enum Level: String, Sendable, CaseIterable, Comparable {
        /// Read documents and blobs.
        case read
        /// Publish, yank, change channels.
        case publish
        /// Delete.
        case admin

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    /// The namespace that stands for all namespaces.
    package static let everywhere = "*"

    /// The namespace, or ``everywhere``.
    package let namespace: String
    /// The level.
    package let level: Level

    /// Creates a scope of a namespace whose name is known to be valid.
    init(namespace: String, level: Level) {
        self.namespace = namespace
        self.level = level
    }

    /// Parses `NAMESPACE:LEVEL`, such as `ami:publish` or `*:read`.
    ///
    /// - Throws: ``ZooError`` with code `accounts.token-invalid`.
    package init(parsing text: String) throws(ZooError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let level = Level(rawValue: parts[1]),
            parts[0] == Self.everywhere || (try? ModelName(parsing: "\(parts[0])/x")) != nil
        else {
            throw ZooError(
                .tokenInvalid,
                "'\(text.prefix(200))' is not a scope",
                remedy: "write NAMESPACE:LEVEL with level 'read', 'publish' or 'admin', such as "
                    + "'ami:publish' or '*:read'"
            )
        }
        self.init(namespace: parts[0], level: level)
    }

    /// The text form, which ``init(parsing:)`` reads.
    package var text: String { "\(namespace):\(level.rawValue)" }

    /// Whether the scope gives a level in a namespace, or in all (``everywhere``).
    package func allows(_ level: Level, in namespace: String) -> Bool {
        self.level >= level && (self.namespace == Self.everywhere || self.namespace == namespace)
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.namespace, left.level) < (right.namespace, right.level)
    }
}

/// What a new token is to be.
package struct NewToken: Sendable {
    private static let longestName = 100

    /// The name.
    let name: String
    /// The level in each namespace.
    let levels: [String: TokenScope.Level]
    /// When the token expires, in seconds since 1970; nil for never.
    let expires: Int?
    /// Who creates the token.
    let creator: String

    /// Describes a token.
    ///
    /// - Parameters:
    ///   - name: the name: 1 to 100 letters and digits of ASCII, and after the first one also `.`, `_`,
    ///     `@` and `-`.
    ///   - scopes: the rights; at least one.
    ///   - expires: when the token expires, in seconds since 1970; nil for never.
    ///   - creator: who creates the token, for the log.
    /// - Throws: ``ZooError`` with code `accounts.token-invalid`.
    package init(
        _ name: String,
        _ scopes: [TokenScope],
        expires: Int? = nil,
        creator: String
    ) throws(ZooError) {
        let text = Array(name.utf8)
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte)
        }
        // A name that begins with '-' would be an option of 'token revoke'.
        guard (1...Self.longestName).contains(text.count), isWord(text[0]),
            text.allSatisfy({ isWord($0) || ".@_-".utf8.contains($0) })
        else {
            throw ZooError(
                .tokenInvalid,
                "'\(name.prefix(200))' is not a name of a token",
                remedy: "use 1 to \(Self.longestName) of A-Z, a-z, 0-9, '.', '_', '@' and '-'; the "
                    + "first one a letter or digit"
            )
        }
        guard !scopes.isEmpty else {
            throw ZooError(
                .tokenInvalid,
                "a token without scopes allows nothing",
                remedy: "give at least one scope, such as 'ami:publish'"
            )
        }
        var levels: [String: TokenScope.Level] = [:]
        for scope in scopes {
            levels[scope.namespace] = max(levels[scope.namespace] ?? .read, scope.level)
        }
        (self.name, self.levels, self.expires, self.creator) = (name, levels, expires, creator)
    }
}

/// A token of an account database, without the secret.
package struct AccountToken: Sendable, Equatable {
    /// The number of the token; never used twice.
    package let id: Int
    /// The name, which is unique among the tokens that are not revoked.
    package let name: String
    /// The rights, one for each namespace.
    package let scopes: [TokenScope]
    /// When the token was created, in seconds since 1970.
    package let created: Int
    /// Who created it.
    package let creator: String
    /// When the token expires, in seconds since 1970; nil for never.
    package let expires: Int?
    /// When the token was last used, to a minute; nil for never.
    package let lastUsed: Int?

    /// Whether the token allows a level in a namespace, or in all (``TokenScope/everywhere``).
    package func allows(_ level: TokenScope.Level, in namespace: String) -> Bool {
        scopes.contains { $0.allows(level, in: namespace) }
    }
}

/// A line of the log of changes.
package struct AuditRecord: Sendable, Equatable {
    /// When, in seconds since 1970.
    package let date: Int
    /// Who: the name of a token, or `user:NAME` for a command on the machine.
    package let subject: String
    /// What was done, such as `publish`, `yank` or `delete`.
    package let action: String
    /// What it was done to, such as `ami/ball-drop:1.0.0`.
    package let target: String

    /// Creates a record.
    package init(date: Int, subject: String, action: String, target: String) {
        self.date = date
        self.subject = subject
        self.action = action
        self.target = target
    }
}
