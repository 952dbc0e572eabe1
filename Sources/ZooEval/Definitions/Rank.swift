// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension [Float] {
    /// The place of an element in descending order, from 1; of equal ones, the first comes first.
    func rank(of index: Int) -> Int {
        1
            + indices.count {
                self[$0] > self[index] || (self[$0] == self[index] && $0 < index)
            }
    }
}
