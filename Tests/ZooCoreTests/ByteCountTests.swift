// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Byte counts")
struct ByteCountTests {
    @Test(
        "a count of bytes prints with three digits and a decimal unit",
        arguments: [
            (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.00 kB"), (1006, "1.01 kB"),
            (1234, "1.23 kB"), (9994, "9.99 kB"), (9995, "10.0 kB"), (10_000, "10.0 kB"),
            (99_949, "99.9 kB"), (99_950, "100 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"),
            (999_999, "1.00 MB"), (1_000_000, "1.00 MB"), (4_194_304, "4.19 MB"),
            (1_073_741_824, "1.07 GB"), (1 << 45, "35.2 TB"), (999_999_999_999_999, "1.00 PB"),
            (5_000_000_000_000_000_000, "5000 PB"),
        ]
    )
    func text(bytes: Int, expected: String) {
        #expect(ByteCount(bytes).description == expected)
    }

    @Test("counts add and compare as numbers")
    func arithmetic() {
        #expect(ByteCount(2) + ByteCount(3) == ByteCount(5))
        #expect(ByteCount(900) < ByteCount(1000))
    }
}
