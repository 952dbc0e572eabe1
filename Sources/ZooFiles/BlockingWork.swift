// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Dispatch

/// Runs calls that block (disk, compression, hashing) on threads of their own, so that the
/// cooperative pool of Swift concurrency never waits for a device.
package enum BlockingWork {
    private static let queue = DispatchQueue(
        label: "ami-zoo.blocking",
        qos: .userInitiated,
        attributes: .concurrent
    )

    /// Runs `work` on a thread that may block and waits for it without blocking.
    package static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }
}
