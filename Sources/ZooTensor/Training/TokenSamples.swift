// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The tokens of samples, which are read when they are needed, so that they may be more than fit into memory.
package struct TokenSamples: Sendable {
    /// The number of samples.
    package let count: Int
    /// The number of tokens of a sample.
    package let tokens: Int
    /// The number of elements of a token.
    package let width: Int
    private let read: @Sendable (_ samples: [Int]) throws -> [Matrix]

    /// Describes samples.
    ///
    /// - Parameters:
    ///   - count: the number of samples.
    ///   - tokens: the number of tokens of a sample.
    ///   - width: the number of elements of a token.
    ///   - read: reads a few samples, each as [tokens, width]; called again in each epoch.
    package init(
        count: Int,
        tokens: Int,
        width: Int,
        read: @escaping @Sendable (_ samples: [Int]) throws -> [Matrix]
    ) {
        self.count = count
        self.tokens = tokens
        self.width = width
        self.read = read
    }

    /// The tokens of some samples, each [tokens, width].
    ///
    /// - Throws: what reading throws.
    package func features(_ samples: [Int]) throws -> [Matrix] {
        let found = try read(samples)
        precondition(
            found.count == samples.count
                && found.allSatisfy { $0.rows == tokens && $0.columns == width },
            "\(samples.count) samples of [\(tokens), \(width)] were wanted"
        )
        return found
    }
}
