// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A path, file name or key that equals only text with the same UTF-8 bytes.
///
/// `String` compares by canonical equivalence: `é` equals `e` with a combining accent, and the Kelvin
/// sign equals `K`. File systems and other readers of our formats see two names there. Collections
/// of `String` may reject equal names; where they find, merge or skip them, use this type.
package struct ExactName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The text.
    package let text: String

    /// Creates a name.
    package init(_ text: String) { self.text = text }

    /// The text.
    package var description: String { text }

    /// Whether the UTF-8 bytes are equal.
    package static func == (left: Self, right: Self) -> Bool { left.text.isExactly(right.text) }

    /// Hashes the UTF-8 bytes.
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Orders by UTF-8 bytes.
    package static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension String {
    /// Whether two strings have the same UTF-8 bytes; `==` also accepts canonical equivalents.
    package func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether the UTF-8 bytes begin with those of `prefix`.
    package func beginsExactly(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}

extension Dictionary where Key == String {
    /// The value of the key with the same UTF-8 bytes.
    package func value(ofExactly name: String) -> Value? {
        guard let index = index(forKey: name), self[index].key.isExactly(name) else { return nil }
        return self[index].value
    }
}
