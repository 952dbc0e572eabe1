// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooCore
import ZooTransport

extension TransportConfiguration {
    /// Direct, impatient, and without waits between attempts.
    static func impatient(_ change: (inout TransportConfiguration) -> Void = { _ in }) -> Self {
        var configuration = TransportConfiguration(version: "test")
        configuration.proxies = .none
        configuration.policy.stallWindow = .milliseconds(300)
        configuration.policy.floorSpeed = 0
        configuration.policy.connectTimeout = .seconds(2)
        configuration.jitter = { 0 }
        change(&configuration)
        return configuration
    }
}

/// Keeps what a stream delivers.
final class Collector: Sendable {
    private let collected = Mutex<[UInt8]>([])

    var bytes: [UInt8] { collected.withLock { $0 } }

    func take(_ span: RawSpan) {
        collected.withLock { bytes in
            unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        }
    }
}

/// Keeps what a transport says about its retries.
final class Notices: Sendable {
    private let kept = Mutex<[RetryNotice]>([])

    var all: [RetryNotice] { kept.withLock { $0 } }

    func take(_ notice: RetryNotice) { kept.withLock { $0.append(notice) } }
}

/// A clock on which every sleep ends at once.
struct InstantClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}

extension HTTPTransport {
    /// Streams into memory.
    func bytes(_ request: StreamRequest) async throws -> [UInt8] {
        let collector = Collector()
        try await stream(request) { collector.take($0) }
        return collector.bytes
    }
}

/// Runs `body` and returns the code of the error it must throw.
func thrownCode(_ body: () async throws -> Void) async throws -> ZooError.Code {
    let error = await #expect(throws: ZooError.self) { try await body() }
    return try #require(error).code
}
