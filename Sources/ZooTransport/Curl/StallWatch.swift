// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Notices when a transfer stands still or falls below its floor speed.
struct StallWatch {
    private let window: Duration
    private let floor: Int
    private var isFresh = false
    private var lastByte: ContinuousClock.Instant
    private var windowStart: ContinuousClock.Instant
    private var windowBytes = 0

    /// Starts watching.
    init(policy: TransferPolicy, now: ContinuousClock.Instant) {
        window = policy.stallWindow
        floor = policy.trickle
        lastByte = now
        windowStart = now
    }

    /// Takes note of bytes; the clock is read only in ``check(now:)``, once per turn of the driver.
    mutating func add(_ count: Int) {
        windowBytes += count
        isFresh = true
    }

    /// Says what is wrong, or nil while the transfer moves.
    mutating func check(now: ContinuousClock.Instant) -> String? {
        if isFresh {
            isFresh = false
            lastByte = now
        }
        if now - lastByte >= window { return "no data for \(window.inSeconds)" }
        guard now - windowStart >= window else { return nil }
        defer {
            windowStart = now
            windowBytes = 0
        }
        return windowBytes < floor ? "only \(windowBytes) bytes in \(window.inSeconds)" : nil
    }

    /// How often to check, so that a stall is noticed within an eighth of the window.
    var pollMilliseconds: Int32 { Int32(clamping: max(1, (window / 8).wholeMilliseconds)) }
}

extension Duration {
    /// The duration cut to milliseconds.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
