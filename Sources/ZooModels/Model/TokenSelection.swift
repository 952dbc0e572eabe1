// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// The ids of tokens of each sample: equally many for every sample, in any order.
///
/// Token ids count columns first, then rows, then tubelets of frames.
public struct TokenSelection: Hashable, Sendable {
    /// The largest id that positions are computed for; far beyond any video.
    public static let largestID = 1 << 24

    /// The ids, one list per sample.
    public let ids: [[Int]]

    /// Checks a selection.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid` when there is no sample, a
    ///   sample has no tokens or another number of them than the first, or an id is negative or
    ///   greater than ``largestID``.
    public init(_ ids: [[Int]]) throws(ZooError) {
        guard let first = ids.first, !first.isEmpty else {
            throw ZooError(.tokenSelectionInvalid, "a selection of tokens is empty")
        }
        for (sample, tokens) in ids.enumerated() {
            guard tokens.count == first.count else {
                throw ZooError(
                    .tokenSelectionInvalid,
                    "\(tokens.count) tokens are selected in sample \(sample), and \(first.count) "
                        + "in the first; every sample needs equally many"
                )
            }
            if let id = tokens.first(where: { $0 < 0 || $0 > Self.largestID }) {
                throw ZooError(
                    .tokenSelectionInvalid,
                    "there is no token \(id) (sample \(sample))"
                )
            }
        }
        self.ids = ids
    }

    private init(unchecked ids: [[Int]]) { self.ids = ids }

    /// The first `count` tokens of every sample; both numbers are at least 1.
    public static func first(_ count: Int, batch: Int) -> TokenSelection {
        precondition(count >= 1 && batch >= 1 && count <= largestID)
        return TokenSelection(unchecked: Array(repeating: Array(0..<count), count: batch))
    }

    /// The ids as I64 of shape [batch, tokens], as a mask is stored.
    public var storedTensor: StoredTensor {
        StoredTensor(shape: Shape([batch, count]), integers: ids.flatMap(\.self))
    }

    /// The number of samples.
    public var batch: Int { ids.count }

    /// The number of tokens of a sample.
    public var count: Int { ids[0].count }
}
