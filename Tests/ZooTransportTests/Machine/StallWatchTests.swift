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
        return StallWatch(policy: policy, patience: .seconds(300), now: start)
    }

    @Test("lets a transfer move that brings enough in every window")
    func moves() {
        var watch = watch()
        for second in 1...100 {
            watch.add(5, isProgress: true)
            #expect(watch.check(now: start + .seconds(second)) == nil)
        }
    }

    @Test("notices silence, counted from the last byte")
    func silence() {
        var watch = watch()
        watch.add(1000, isProgress: true)
        #expect(watch.check(now: start + .seconds(5)) == nil)
        #expect(watch.check(now: start + .seconds(14)) == nil)
        #expect(watch.check(now: start + .seconds(15)) == "no data for 10.0 s")
    }

    @Test("notices a drip below the floor speed")
    func drip() {
        var watch = watch()
        for second in 1...9 {
            watch.add(1, isProgress: true)
            #expect(watch.check(now: start + .seconds(second)) == nil)
        }
        watch.add(1, isProgress: true)
        #expect(watch.check(now: start + .seconds(10)) == "only 10 bytes in 10.0 s")
    }

    @Test("waits no longer than the transfer has patience")
    func patience() {
        var watch = StallWatch(policy: TransferPolicy(), patience: .seconds(2), now: start)
        #expect(watch.check(now: start + .seconds(1.9)) == nil)
        #expect(watch.check(now: start + .seconds(2)) == "no data for 2.0 s")
    }

    @Test("counts the time without progress from the last byte of a body, not of a head")
    func quiet() {
        var watch = watch()
        watch.add(100, isProgress: true)
        #expect(watch.quiet(now: start + .seconds(1)) == .zero)
        watch.add(100, isProgress: false)
        #expect(watch.quiet(now: start + .seconds(4)) == .seconds(3))
    }

    @Test("counts a drip that stalls as a whole window without progress")
    func quietDrip() {
        var watch = watch()
        for second in 1...10 {
            watch.add(1, isProgress: true)
            _ = watch.check(now: start + .seconds(second))
        }
        #expect(watch.quiet(now: start + .seconds(10)) == .seconds(10))
    }

    @Test("waits longer for the response to a request that has been sent")
    func response() {
        var watch = watch()
        watch.add(100, isProgress: true)
        watch.awaitResponse(for: .seconds(300))
        #expect(watch.check(now: start + .seconds(1)) == nil)
        #expect(watch.check(now: start + .seconds(299)) == nil)
        #expect(watch.check(now: start + .seconds(301)) == "no data for 300.0 s")
    }
}
