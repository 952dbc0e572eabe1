// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Rotary position tables: one row of cosines and sines for each token.
///
/// Element j of a head becomes x[j]·cos[j] + y[j]·sin[j], where y[2i] = −x[2i+1] and
/// y[2i+1] = x[2i]; elements beyond the width of the tables do not change. If the angles of a pair
/// are equal, this is a rotation, but they may differ.
package struct Rotation: Sendable {
    /// The cosines, [tokens, rotated elements per head].
    package let cosines: Matrix
    /// The sines, [tokens, rotated elements per head].
    package let sines: Matrix

    /// Creates a rotation from tables of equal shape with an even number of columns.
    package init(cosines: Matrix, sines: Matrix) {
        cosines.requireSizes(of: sines)
        precondition(cosines.columns.isMultiple(of: 2), "elements are turned in pairs")
        precondition(
            cosines.stride == cosines.columns && sines.stride == sines.columns,
            "the tables must be contiguous"
        )
        self.cosines = cosines
        self.sines = sines
    }

    /// The tables of some tokens.
    package func rows(_ range: Range<Int>) -> Rotation {
        Rotation(cosines: cosines.rows(range), sines: sines.rows(range))
    }
}
