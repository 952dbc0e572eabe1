// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Measures how much of the processors this process uses.
struct LoadMeter {
    private var time = ContinuousClock.now
    private var work = Self.processorSeconds()

    /// The seconds since the last call, and the share of all processors in them, from 0 to 1.
    mutating func next() -> (seconds: Double, load: Double) {
        let (now, total) = (ContinuousClock.now, Self.processorSeconds())
        let seconds = max(1e-3, (now - time) / .seconds(1))
        let cores = Double(ProcessInfo.processInfo.activeProcessorCount)
        let load = (total - work) / seconds / cores
        (time, work) = (now, total)
        return (seconds, load)
    }

    private static func processorSeconds() -> Double {
        var spent = timespec()
        guard unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0 else { return 0 }
        return Double(spent.tv_sec) + Double(spent.tv_nsec) * 1e-9
    }
}
