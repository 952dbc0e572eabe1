// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooTensor

/// The rotary position embedding of V-JEPA 2, along time, height and width.
///
/// A head is cut into three segments of s = 2·⌊⌊w/3⌋/2⌋ elements, one per axis, and a rest that is not
/// turned. With m = s/2 and θ(k) = position · 10000^(−k/m), element j of a segment is turned by
/// θ(j mod m): the angles are *tiled*, so that the two elements of a pair (2i, 2i+1) get different
/// ones. That is not a rotation; it is a bug of the original training code (facebookresearch/vjepa2
/// `src/models/utils/modules.py`, `rotate_queries_or_keys`) that the released weights depend on.
package struct TiledRotaryEmbedding: Sendable {
    /// The elements of one segment.
    private let segment: Int
    /// How fast each angle grows with the position: 10000^(−k/m), k = 0..<m.
    private let frequencies: [Float]

    /// The narrowest head whose segments hold a pair.
    package static let leastHeadWidth = 6

    /// The embedding for heads of `headWidth` elements, at least ``leastHeadWidth``.
    package init(headWidth: Int) {
        precondition(headWidth >= Self.leastHeadWidth, "heads of \(headWidth) elements")
        segment = 2 * (headWidth / 3 / 2)
        let pairs = segment / 2
        // PyTorch computes these in float32, step by step; so do we, for the same angles.
        frequencies = (0..<pairs).map { k in
            1 / Float(pow(10000, Double(Float(k) / Float(pairs))))
        }
    }

    /// The tables for tokens at the places in `grid` that their ids say.
    package func rotation(for ids: [Int], in grid: TokenGrid) -> Rotation {
        let cosines = Matrix(rows: ids.count, columns: 3 * segment)
        let sines = Matrix(rows: ids.count, columns: 3 * segment)
        for (token, id) in ids.enumerated() {
            let place = grid.position(of: id)
            for (axis, position) in [place.frame, place.row, place.column].enumerated() {
                for (k, frequency) in frequencies.enumerated() {
                    let angle = Double(Float(position) * frequency)
                    let (cosine, sine) = (Float(cos(angle)), Float(sin(angle)))
                    for column in [axis * segment + k, axis * segment + segment / 2 + k] {
                        cosines[token, column] = cosine
                        sines[token, column] = sine
                    }
                }
            }
        }
        return Rotation(cosines: cosines, sines: sines)
    }
}
