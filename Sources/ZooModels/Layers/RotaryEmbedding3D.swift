// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooTensor

/// The rotary position embedding of V-JEPA 2 and 2.1, along time, height and width.
///
/// A head of width w is split into three segments of s = 2·⌊⌊w/3⌋/2⌋ elements, one per axis; the
/// remaining elements are not rotated. With m = s/2 and θ(k) = position · 10000^(−k/m), ``Layout``
/// selects the angle for element j of a segment.
///
/// Source: facebookresearch/vjepa2 `src/models/utils/modules.py`, `rotate_queries_or_keys`, and
/// `app/vjepa_2_1/models/utils/modules.py`.
package struct RotaryEmbedding3D: Sendable {
    /// The assignment of angles to elements.
    package enum Layout: Sendable {
        /// V-JEPA 2: element j has the angle θ(j mod m).
        ///
        /// The two elements of a pair (2i, 2i+1) have different angles, so this is not a rotation.
        /// It is a bug of the original training code that the released weights depend on.
        case tiled
        /// V-JEPA 2.1: elements 2i and 2i+1 have the angle θ(i), which is a rotation.
        case interleaved
    }

    /// The number of elements of a segment.
    private let segment: Int
    private let layout: Layout
    /// The frequencies 10000^(−k/m), k = 0..<m.
    private let frequencies: [Float]

    /// The minimum width of a head, at which each segment is one pair.
    package static let leastHeadWidth = 6

    /// Creates an embedding for heads of `headWidth` elements, at least ``leastHeadWidth``.
    package init(headWidth: Int, layout: Layout) {
        precondition(headWidth >= Self.leastHeadWidth, "heads of \(headWidth) elements")
        self.layout = layout
        segment = 2 * (headWidth / 3 / 2)
        let pairs = segment / 2
        // Computed in float32 with the same operations as PyTorch, for identical angles.
        frequencies = (0..<pairs).map { k in
            1 / Float(pow(10000, Double(Float(k) / Float(pairs))))
        }
    }

    /// Computes the rotation tables of tokens.
    ///
    /// - Parameters:
    ///   - ids: the ids of the tokens.
    ///   - grid: the grid that the ids refer to.
    ///   - rowScale: the factor for row positions.
    ///   - columnScale: the factor for column positions.
    /// - Returns: the tables, one row for each token.
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

    /// Returns the elements of a segment that an angle applies to.
    private func columns(of angle: Int) -> [Int] {
        switch layout {
        case .tiled: [angle, segment / 2 + angle]
        case .interleaved: [2 * angle, 2 * angle + 1]
        }
    }
}
