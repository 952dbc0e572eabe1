// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The identifier of a key in TUF metadata.
///
/// By convention the SHA-256 of the key's canonical JSON; real repositories have others, so it is a
/// label without meaning.
package struct KeyID: Hashable, Sendable, CustomStringConvertible {
    private let name: ExactName

    /// Creates an identifier.
    package init(_ text: String) { name = ExactName(text) }

    /// The text.
    package var description: String { name.text }
}
