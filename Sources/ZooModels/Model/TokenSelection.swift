// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// Token ids of each sample, in any order, the same number for every sample.
///
/// Token ids count columns first, then rows, then tubelets of frames.
public struct TokenSelection: Hashable, Sendable {
    /// The largest valid token id, far larger than any video needs.
    public static let largestID = 1 << 24

    /// The ids, one list per sample.
    public let ids: [[Int]]

    /// Creates a selection.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid` if there is no sample, a
    ///   sample has no tokens or a different number of tokens than the first sample, or an id is
    ///   negative or greater than ``largestID``.
    public init(_ ids: [[Int]]) throws(ZooError) {
        guard let first = ids.first, !first.isEmpty else {
            throw ZooError(.tokenSelectionInvalid, "the token selection is empty")
        }
        for (sample, tokens) in ids.enumerated() {
            guard tokens.count == first.count else {
                throw ZooError(
                    .tokenSelectionInvalid,
                    "sample \(sample) has \(tokens.count) selected tokens, and the first sample has "
                        + "\(first.count); all samples need the same number"
                )
            }
            if let id = tokens.first(where: { $0 < 0 || $0 > Self.largestID }) {
                throw ZooError(
                    .tokenSelectionInvalid,
                    "token \(id) of sample \(sample) does not exist"
                )
            }
        }
        self.ids = ids
    }

    private init(unchecked ids: [[Int]]) { self.ids = ids }

    /// Returns the first `count` tokens of every sample; `count` and `batch` must be at least 1.
    public static func first(_ count: Int, batch: Int) -> TokenSelection {
        precondition(count >= 1 && batch >= 1 && count <= largestID)
        return TokenSelection(unchecked: Array(repeating: Array(0..<count), count: batch))
    }

    /// Reads ids from the format of stored masks.
    ///
    /// - Parameters:
    ///   - tensor: I64, [batch, tokens].
    ///   - name: its name, for messages.
    /// - Throws: `ZooError` with code `model.token-selection-invalid`.
    package init(storedIn tensor: StoredTensor, named name: String) throws(ZooError) {
        guard tensor.dtype == .i64, tensor.shape.rank == 2, tensor.shape.elementCount > 0 else {
            throw ZooError(
                .tokenSelectionInvalid,
                "'\(name)' must hold I64 token ids of shape [batch, tokens], and is "
                    + "\(tensor.dtype.rawValue) of shape \(tensor.shape)"
            )
        }
        let width = tensor.shape[1]
        let ids: [[Int]] = tensor.withBytes { bytes in
            (0..<tensor.shape[0]).map { row in
                (0..<width).map { column in
                    let start = 8 * (row * width + column)
                    let word = (0..<8).reduce(UInt64(0)) { word, byte in
                        word | UInt64(
                            unsafe bytes.unsafeLoad(
                                fromByteOffset: start + byte,
                                as: UInt8.self
                            )
                        ) << (8 * UInt64(byte))
                    }
                    return Int(Int64(bitPattern: word))
                }
            }
        }
        try self.init(ids)
    }

    /// The ids as an I64 tensor of shape [batch, tokens], the format of stored masks.
    public var storedTensor: StoredTensor {
        StoredTensor(shape: Shape([batch, count]), integers: ids.flatMap(\.self))
    }

    /// The number of samples.
    public var batch: Int { ids.count }

    /// The number of tokens per sample.
    public var count: Int { ids[0].count }
}
