// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The number of streams of a pull: more as long as more raise the rate.
struct StreamWidth {
    /// The time over which a rate is measured.
    static let interval: Duration = .seconds(1)
    /// The streams at the start.
    static let initial = 4
    /// The most streams; a server may refuse more connections of one client.
    static let maximum = 8
    /// The streams that are added at once.
    private static let step = 2
    /// The rate with more streams must be this many times the rate before.
    private static let gain = 1.1

    /// The number of streams.
    private(set) var current: Int
    private var isSettled: Bool
    private var before: Double?

    /// Creates a width.
    ///
    /// - Parameter fixed: the number of streams that the user chose; nil for one that adapts.
    init(fixed: Int?) {
        current = fixed ?? Self.initial
        isSettled = fixed != nil
    }

    /// Takes a measurement.
    ///
    /// - Parameters:
    ///   - rate: the bytes per second over the last interval.
    ///   - load: the share of the processors that this process used, from 0 to 1; streams help where
    ///     the line is the limit, and not the processors.
    /// - Returns: by how many streams to widen, or to narrow if negative.
    mutating func observe(rate: Double, load: Double) -> Int {
        guard !isSettled else { return 0 }
        guard load < 0.5 else {
            isSettled = true
            return 0
        }
        if let before, rate < Self.gain * before {
            isSettled = true
            current -= Self.step
            return -Self.step
        }
        before = rate
        guard current + Self.step <= Self.maximum else {
            isSettled = true
            return 0
        }
        current += Self.step
        return Self.step
    }
}
