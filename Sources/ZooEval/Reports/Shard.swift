// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// A part of the chunks of a suite: every `count`-th, from `index`.
package struct Shard: Sendable, Equatable, CustomStringConvertible {
    /// The number of the part, from 1.
    package let index: Int
    /// The number of parts.
    package let count: Int

    /// The only part.
    package static let whole = Shard(index: 1, count: 1)

    private init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Parses `INDEX/COUNT`, such as `3/8`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1],
            (1...100_000).contains(count), (1...count).contains(index)
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Such as `3/8`.
    package var description: String { "\(index)/\(count)" }

    /// Whether a chunk belongs to the part.
    func contains(_ chunk: Int) -> Bool { chunk % count == index - 1 }
}
