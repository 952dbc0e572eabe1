// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import ZooTensor

extension Matrix {
    /// Applies SiLU, x / (1 + e⁻ˣ), to every element in place.
    func applySiLU() {
        for row in 0..<rows {
            for column in 0..<columns {
                let x = self[row, column]
                self[row, column] = x / (1 + exp(-x))
            }
        }
    }
}
