// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Dispatch

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Cancels a command on SIGINT or SIGTERM, so that it can clean up.
enum Interruption {
    /// Runs `work` in a task that the first signal cancels; a second one ends the process.
    static func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await work() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                task.cancel()
            }
            source.activate()
            return source
        }
        defer {
            for (number, source) in zip([SIGINT, SIGTERM], sources) {
                source.cancel()
                signal(number, SIG_DFL)
            }
        }
        return try await task.value
    }
}

extension Duration {
    /// Seconds, rounded to milliseconds.
    var secondsToMilliseconds: Double {
        let milliseconds =
            Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
        return milliseconds.rounded() / 1000
    }

    /// A short text, such as `0.24 s`, `12.3 s` or `3 min 5 s`.
    var shortText: String {
        let seconds = secondsToMilliseconds
        if seconds < 10 { return "\((seconds * 100).rounded() / 100) s" }
        if seconds < 60 { return "\((seconds * 10).rounded() / 10) s" }
        return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    }
}
