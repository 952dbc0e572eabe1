// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

@Suite("Timestamps")
struct TimestampTests {
    @Test("a time made from seconds is the one that Foundation prints")
    func agreesWithFoundation() {
        var random = SeededGenerator(seed: 1)
        let edges = [
            0, -1, 951_782_399, 951_782_400, 4_107_542_399, 253_402_300_799, 1_769_860_800,
        ]
        let others = (0..<2000).map { _ in
            Int.random(in: -10_000_000_000...250_000_000_000, using: &random)
        }
        for seconds in edges + others {
            let date = Date(timeIntervalSince1970: TimeInterval(seconds))
            let timestamp = Timestamp(secondsSince1970: seconds)
            #expect(timestamp.text == date.formatted(.iso8601))
            #expect(Timestamp(parsing: timestamp.text) == timestamp)
        }
    }

    @Test(
        "every other form and every date that does not exist is refused",
        arguments: [
            "", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00+00:00",
            "2026-01-31t12:00:00z", "2026-01-31 12:00:00Z", "2026-1-31T12:00:00Z",
            "2026-01-31T12:00:00.5Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:60Z", "+026-01-31T12:00:00Z", "２026-01-31T12:00:0Z",
            "2026-01-31T12:00:00Z\n",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp(parsing: text) == nil)
    }

    @Test("times order as their text does")
    func order() {
        let times = [0, 5, 86_400, 1_000_000_000].map(Timestamp.init(secondsSince1970:))
        #expect(times.sorted { $0.text < $1.text } == times)
        #expect(times.sorted() == times)
    }
}
