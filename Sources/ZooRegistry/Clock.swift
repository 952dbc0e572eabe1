// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The clock of file times.
package enum Clock {
    /// The time in nanoseconds since 1970.
    package static func nanoseconds() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// The time in seconds since 1970.
    package static func seconds() -> Int { nanoseconds() / 1_000_000_000 }
}
