// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooTensor

/// The rotary position embeddings of V-JEPA 2 and 2.1, along time, height and width.
///
/// A head is cut into three segments of s = 2·⌊⌊w/3⌋/2⌋ elements, one per axis, and a rest that is not
/// turned. With m = s/2 and θ(k) = position · 10000^(−k/m), element j of a segment is turned by an
/// angle that ``Layout`` chooses.
///
/// Source: facebookresearch/vjepa2 `src/models/utils/modules.py`, `rotate_queries_or_keys`, and
/// `app/vjepa_2_1/models/utils/modules.py`.
package struct RotaryEmbedding3D: Sendable {
    /// Which angle belongs to which element.
    package enum Layout: Sendable {
        /// V-JEPA 2: element j is turned by θ(j mod m).
        ///
        /// The angles are *tiled*, so that the two elements of a pair (2i, 2i+1) get different ones.
        /// That is not a rotation; it is a bug of the original training code that the released
        /// weights depend on.
        case tiled
        /// V-JEPA 2.1: elements 2i and 2i+1 are turned by θ(i), a rotation.
        case interleaved
    }

    /// The elements of one segment.
    private let segment: Int
    private let layout: Layout
    /// How fast each angle grows with the position: 10000^(−k/m), k = 0..<m.
    private let frequencies: [Float]

    /// The narrowest head whose segments hold a pair.
    package static let leastHeadWidth = 6

    /// The embedding for heads of `headWidth` elements, at least ``leastHeadWidth``.
    package init(headWidth: Int, layout: Layout) {
        precondition(headWidth >= Self.leastHeadWidth, "heads of \(headWidth) elements")
        self.layout = layout
        segment = 2 * (headWidth / 3 / 2)
        let pairs = segment / 2
        // PyTorch computes these in float32, step by step; so do we, for the same angles.
        frequencies = (0..<pairs).map { k in
            1 / Float(pow(10000, Double(Float(k) / Float(pairs))))
        }
    }

    /// The tables for tokens at the places in `grid` that their ids say.
    ///
    /// - Parameters:
    ///   - ids: the tokens.
    ///   - grid: where ids lie.
    ///   - rowScale: what positions from top to bottom are multiplied by.
    ///   - columnScale: what positions from left to right are multiplied by.
    /// - Returns: one row for each token.
    package func rotation(
        for ids: [Int],
        in grid: TokenGrid,
        rowScale: Float = 1,
        columnScale: Float = 1
    ) -> Rotation {
        let cosines = Matrix(rows: ids.count, columns: 3 * segment)
        let sines = Matrix(rows: ids.count, columns: 3 * segment)
        for (token, id) in ids.enumerated() {
            let place = grid.position(of: id)
            let positions = [
                Float(place.frame), Float(place.row) * rowScale, Float(place.column) * columnScale,
            ]
            for (axis, position) in positions.enumerated() {
                for (k, frequency) in frequencies.enumerated() {
                    let angle = Double(position * frequency)
                    let (cosine, sine) = (Float(cos(angle)), Float(sin(angle)))
                    for column in columns(of: k) {
                        cosines[token, axis * segment + column] = cosine
                        sines[token, axis * segment + column] = sine
                    }
                }
            }
        }
        return Rotation(cosines: cosines, sines: sines)
    }

    /// The elements of a segment that are turned by an angle.
    private func columns(of angle: Int) -> [Int] {
        switch layout {
        case .tiled: [angle, segment / 2 + angle]
        case .interleaved: [2 * angle, 2 * angle + 1]
        }
    }
}
