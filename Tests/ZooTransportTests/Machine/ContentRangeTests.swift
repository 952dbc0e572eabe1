// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing

@testable import ZooTransport

@Suite("Content-Range")
struct ContentRangeTests {
    @Test(
        "reads the forms of RFC 9110",
        arguments: [
            ("bytes 0-0/1", ContentRange.part(0..<1, total: 1)),
            ("bytes 10-19/100", .part(10..<20, total: 100)),
            ("Bytes 10-19/*", .part(10..<20, total: nil)),
            ("bytes */100", .unsatisfied(total: 100)),
        ]
    )
    func reads(text: String, expected: ContentRange) {
        #expect(ContentRange(text) == expected)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "bytes", "bytes ", "bytes 0-9", "bytes 9-0/100", "bytes 0-100/100",
            "bytes -1-9/100",
            "bytes +1-9/100", "bytes 0-9/100/100", "bytes 0-9-9/100", "bytes */*", "bytes 0-/100",
            "items 0-9/100", "bytes=0-9/100", "bytes  0-9/100", "bytes 0-9/ 100", "bytes 0-9/100x",
            "bytes 0-9223372036854775807/*", "bytes 0-9/99999999999999999999", "bytes 0x0-9/100",
        ]
    )
    func refuses(text: String) {
        #expect(ContentRange(text) == nil)
    }
}
