// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing

@testable import ZooClient

@Suite struct StreamWidthTests {
    /// The widths after each measurement.
    private func widths(_ rates: [Double], load: Double = 0.1, fixed: Int? = nil) -> [Int] {
        var width = StreamWidth(fixed: fixed)
        return rates.map { rate in
            let before = width.current
            let change = width.observe(rate: rate, load: load)
            #expect(width.current == before + change)
            return width.current
        }
    }

    @Test func widensWhileTheRateGrowsAndStopsAtTheMost() {
        #expect(widths([10, 15, 22, 30, 40]) == [6, 8, 8, 8, 8])
    }

    @Test func narrowsAgainWhenMoreStreamsAreNotFaster() {
        #expect(widths([10, 10.5, 30]) == [6, 4, 4])
        #expect(widths([10, 15, 12, 30]) == [6, 8, 6, 6])
    }

    @Test func doesNotWidenWhereTheProcessorsAreTheLimit() {
        #expect(widths([10, 20, 40], load: 0.6) == [4, 4, 4])
    }

    @Test func keepsTheNumberThatTheUserChose() {
        #expect(widths([10, 20, 40], fixed: 3) == [3, 3, 3])
    }
}
