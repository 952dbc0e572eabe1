// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Limits the rate of each sender with a token bucket.
///
/// Memory is bounded: when more than `capacity` senders came since the last such change, those that
/// were silent meanwhile are forgotten, and start with a full bucket.
package final class RateLimiter: Sendable {
    private let rate: Double
    private let burst: Double
    private let capacity: Int
    private let state = Mutex(State())

    private struct Bucket {
        var level: Double
        var time: Double
    }

    private struct State {
        var recent: [String: Bucket] = [:]
        var old: [String: Bucket] = [:]
    }

    /// Creates a limiter.
    ///
    /// - Parameters:
    ///   - rate: the number of events per second.
    ///   - burst: the number of events that may come at once.
    ///   - capacity: the number of senders that are remembered, at least; at most twice as many.
    package init(rate: Double, burst: Double, capacity: Int = 20_000) {
        precondition(rate > 0 && burst >= 1 && capacity > 0, "a limiter lets something pass")
        (self.rate, self.burst, self.capacity) = (rate, burst, capacity)
    }

    /// Counts an event.
    ///
    /// - Parameters:
    ///   - sender: who caused it.
    ///   - time: the time in seconds, of a clock that is never set.
    /// - Returns: nil when the event may pass, else the number of seconds to wait.
    package func wait(_ sender: String, at time: Double) -> Int? {
        state.withLock { state in
            var bucket =
                state.recent[sender] ?? state.old[sender] ?? Bucket(level: burst, time: time)
            bucket.level = min(burst, bucket.level + max(0, time - bucket.time) * rate)
            // Two threads may come here in another order than they read the clock.
            bucket.time = max(bucket.time, time)
            let passes = bucket.level >= 1
            if passes { bucket.level -= 1 }
            if state.recent[sender] == nil, state.recent.count >= capacity {
                state.old = state.recent
                state.recent = [:]
            }
            state.recent[sender] = bucket
            return passes ? nil : max(1, Int(((1 - bucket.level) / rate).rounded(.up)))
        }
    }

    /// The number of senders that are remembered.
    package var count: Int { state.withLock { $0.recent.count + $0.old.count } }

    /// The sender of an address: of IPv6 its network of 2^64 addresses, which one client owns.
    ///
    /// - Parameter address: an IPv4 or IPv6 address; any other text is its own sender.
    /// - Returns: the name of the sender.
    package static func sender(of address: String) -> String {
        let text = String(address.prefix { $0 != "%" })
        var raw = in6_addr()
        guard text.contains(":"), unsafe inet_pton(AF_INET6, text, &raw) == 1 else {
            return address
        }
        let bytes = unsafe withUnsafeBytes(of: &raw) { unsafe Array($0) }
        // ::ffff:a.b.c.d is how a socket for both protocols shows an IPv4 client.
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            return bytes[12...].map(String.init).joined(separator: ".")
        }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":") + "/64"
    }
}
