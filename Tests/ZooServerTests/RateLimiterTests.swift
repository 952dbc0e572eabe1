// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooServer

/// Token buckets, and which addresses share one.
@Suite("Rate limits")
struct RateLimiterTests {
    @Test("A burst passes, then the rate; the announced wait is enough and not too long")
    func bucket() {
        let limiter = RateLimiter(rate: 0.5, burst: 4)
        for _ in 0..<4 { #expect(limiter.wait("a", at: 100) == nil) }
        #expect(limiter.wait("a", at: 100) == 2)
        #expect(limiter.wait("a", at: 101) == 1)
        #expect(limiter.wait("b", at: 101) == nil)
        #expect(limiter.wait("a", at: 102) == nil)
        #expect(limiter.wait("a", at: 102) == 2)
        // A long silence fills the bucket to the burst and no further.
        for _ in 0..<4 { #expect(limiter.wait("a", at: 1e9) == nil) }
        #expect(limiter.wait("a", at: 1e9) == 2)
    }

    @Test("Times out of order give nothing back")
    func order() {
        let limiter = RateLimiter(rate: 1, burst: 2)
        for _ in 0..<2 { #expect(limiter.wait("a", at: 100) == nil) }
        #expect(limiter.wait("a", at: 50) == 1)
        #expect(limiter.wait("a", at: 100) == 1)
        #expect(limiter.wait("a", at: 101) == nil)
    }

    @Test("Memory is bounded, and a sender that keeps coming is not forgotten")
    func capacity() {
        let limiter = RateLimiter(rate: 0.001, burst: 1, capacity: 100)
        #expect(limiter.wait("busy", at: 0) == nil)
        for number in 0..<10_000 {
            _ = limiter.wait("\(number)", at: 1)
            #expect(limiter.count <= 200)
            if number.isMultiple(of: 50) { #expect(limiter.wait("busy", at: 1) != nil) }
        }
    }

    @Test(
        "Addresses of one IPv6 network share a limit, others do not",
        arguments: [
            ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:0db8:0000::2:3:4:5", true),
            ("2001:db8::1", "2001:db8:0:1::1", false), ("2001:db8::1", "2001:db9::1", false),
            ("::1", "::2", true), ("fe80::1%eth0", "fe80::2%eth1", true),
            ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false), ("", "192.0.2.1", false),
            (":::", "::", false), ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", false),
        ]
    )
    func addresses(first: String, second: String, isShared: Bool) {
        let (one, other) = (RateLimiter.sender(of: first), RateLimiter.sender(of: second))
        #expect((one == other) == isShared, "\(one) \(other)")
    }
}
