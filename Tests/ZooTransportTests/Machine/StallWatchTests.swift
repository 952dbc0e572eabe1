// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing

@testable import ZooTransport

@Suite("Stall watch")
struct StallWatchTests {
    private let start = ContinuousClock.now

    private func watch() -> StallWatch {
        var policy = TransferPolicy()
        policy.stallWindow = .seconds(10)
        policy.floorSpeed = 5
        return StallWatch(policy: policy, now: start)
    }

    @Test("lets a transfer move that brings enough in every window")
    func moves() {
        var watch = watch()
        for second in 1...100 {
            watch.add(5)
            #expect(watch.check(now: start + .seconds(second)) == nil)
        }
    }

    @Test("notices silence, counted from the last byte")
    func silence() {
        var watch = watch()
        watch.add(1000)
        #expect(watch.check(now: start + .seconds(5)) == nil)
        #expect(watch.check(now: start + .seconds(14)) == nil)
        #expect(watch.check(now: start + .seconds(15)) == "no data for 10.0 s")
    }

    @Test("notices a drip below the floor speed")
    func drip() {
        var watch = watch()
        for second in 1...9 {
            watch.add(1)
            #expect(watch.check(now: start + .seconds(second)) == nil)
        }
        watch.add(1)
        #expect(watch.check(now: start + .seconds(10)) == "only 10 bytes in 10.0 s")
    }
}
