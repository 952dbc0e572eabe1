// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing

@testable import ZooModels

@Suite struct NoiseTests {
    @Test func aSeedAlwaysGivesTheseNumbers() {
        // Computed in Python, with math.log and the other functions of its library.
        var noise = SeededNoise(seed: 1)
        #expect(
            noise.normals(4).map(\.bitPattern) == [
                0x3EDB_E129, 0x3FCA_FA98, 0x3EE9_B47F, 0xBD5C_DD92,
            ]
        )
    }

    @Test func theLogarithmIsThatOfTheLibrary() {
        for x in [1e-300, 1e-9, 0.1, 0.5, 0.707, 0.7072, 0.9, 0.999_999, 1, 1.5, 7e20] {
            let exact = log(x)
            #expect(abs(SeededNoise.logarithm(x) - exact) <= 1e-15 * max(1, abs(exact)))
        }
    }

    @Test func numbersAreNormal() {
        var noise = SeededNoise(seed: 42)
        let numbers = noise.normals(100_001).map(Double.init)
        let count = Double(numbers.count)
        let moments = (1...4).map { power in
            numbers.reduce(0) { $0 + pow($1, Double(power)) } / count
        }
        // Moments 0, 1, 0 and 3, within four standard errors.
        #expect(abs(moments[0]) < 4 / count.squareRoot())
        #expect(abs(moments[1] - 1) < 4 * (2 / count).squareRoot())
        #expect(abs(moments[2]) < 4 * (15 / count).squareRoot())
        #expect(abs(moments[3] - 3) < 4 * (96 / count).squareRoot())
        let beyond = numbers.count { abs($0) > 1.959_964 }
        #expect(abs(Double(beyond) / count - 0.05) < 4 * (0.0475 / count).squareRoot())
    }

    @Test func numbersDoNotDependOnHowManyAreAskedForAtATime() {
        var (whole, parts) = (SeededNoise(seed: 9), SeededNoise(seed: 9))
        let expected = whole.normals(7)
        #expect(parts.normals(3) + parts.normals(0) + parts.normals(4) == expected)
    }
}
