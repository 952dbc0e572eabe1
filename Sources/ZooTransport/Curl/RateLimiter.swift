// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization

/// One speed limit for all connections of a transport.
final class RateLimiter: Sendable {
    private let budget: Mutex<RateBudget>

    /// Makes a limiter for a rate in bytes per second.
    init(rate: Int) { budget = Mutex(RateBudget(rate: rate, now: .now)) }

    /// Counts transferred bytes and returns when the next ones are due.
    func spend(_ count: Int) -> ContinuousClock.Instant {
        budget.withLock { $0.spend(count, now: .now) }
    }
}

/// The arithmetic of a ``RateLimiter``.
struct RateBudget {
    private let rate: Double
    private var due: ContinuousClock.Instant

    init(rate: Int, now: ContinuousClock.Instant) {
        self.rate = Double(max(1, rate))
        due = now
    }

    /// Time that nobody used is lost, so that no burst follows a pause.
    mutating func spend(_ count: Int, now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        due = max(due, now) + .seconds(Double(count) / rate)
        return due
    }
}
