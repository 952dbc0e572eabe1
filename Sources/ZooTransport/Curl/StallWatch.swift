// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Detects that a transfer stalls: no byte for too long, or too few bytes.
struct StallWatch {
    private var window: Duration
    private let stallBytes: Int
    private var hasNews = false
    private var hasProgress = false
    private var lastByte: ContinuousClock.Instant
    private var lastProgress: ContinuousClock.Instant
    private var windowStart: ContinuousClock.Instant
    private var windowBytes = 0
    private var hasStalled = false

    /// Starts to watch; `patience` shortens the window of the policy.
    init(policy: TransferPolicy, patience: Duration, now: ContinuousClock.Instant) {
        window = min(policy.stallWindow, patience)
        stallBytes = policy.stallBytes
        lastByte = now
        lastProgress = now
        windowStart = now
    }

    /// Counts bytes; the clock is read only in ``check(now:)``, once per turn of the driver.
    ///
    /// - Parameters:
    ///   - count: bytes sent or received.
    ///   - isProgress: whether they belong to a body.
    mutating func add(_ count: Int, isProgress: Bool) {
        windowBytes += count
        hasNews = true
        hasProgress = hasProgress || isProgress
    }

    /// Waits up to `patience` for the response to a request that has been sent whole: a server may
    /// need long to check what it received.
    mutating func awaitResponse(for patience: Duration) {
        window = max(window, patience)
    }

    /// Returns what is wrong, or nil while the transfer moves.
    mutating func check(now: ContinuousClock.Instant) -> String? {
        note(now)
        if now - lastByte >= window {
            hasStalled = true
            return "no data for \(window.inSeconds)"
        }
        guard now - windowStart >= window else { return nil }
        defer {
            windowStart = now
            windowBytes = 0
        }
        guard windowBytes < stallBytes else { return nil }
        hasStalled = true
        return "only \(windowBytes) bytes in \(window.inSeconds)"
    }

    /// How long the transfer has passed without progress.
    mutating func quiet(now: ContinuousClock.Instant) -> Duration {
        note(now)
        let quiet = now - lastProgress
        return hasStalled ? max(quiet, window) : quiet
    }

    private mutating func note(_ now: ContinuousClock.Instant) {
        if hasNews { lastByte = now }
        if hasProgress { lastProgress = now }
        hasNews = false
        hasProgress = false
    }

    /// The time between two checks: an eighth of the window.
    var pollMilliseconds: Int32 { Int32(clamping: max(1, (window / 8).wholeMilliseconds)) }
}

extension Duration {
    /// The duration cut to milliseconds.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
