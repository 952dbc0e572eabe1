// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import ZooCore

/// Brings bytes over HTTP, through whatever can be overcome by trying again.
///
/// Connections are kept open between transfers, and closed when the transport goes away. The bytes
/// are those that the server sent: whether they are the released ones is for the caller to check.
package final class HTTPTransport: Sendable {
    private let configuration: TransportConfiguration
    private let pool: CurlWorkerPool

    /// Makes a transport; connections are opened when they are needed.
    package init(configuration: TransportConfiguration) {
        self.configuration = configuration
        pool = CurlWorkerPool(limit: configuration.policy.connections)
    }

    deinit { pool.close() }

    /// Fetches a small resource into memory.
    ///
    /// - Throws: A `ZooError` with a `transport.…` code, such as `transport.not-found`, or
    ///   `CancellationError`.
    package func document(_ request: DocumentRequest) async throws -> DocumentReply {
        let collected = Mutex<[UInt8]>([])
        let goal = TransferGoal.document(limit: request.limit, entityTag: request.entityTag)
        let result = try await transfer(goal, url: request.url, headers: request.headers) {
            collected.withLock { $0.removeAll(keepingCapacity: true) }
        } sink: { span in
            collected.withLock { bytes in
                unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            }
        }
        if result.isNotModified { return .notModified }
        return .fetched(bytes: collected.withLock { $0 }, entityTag: result.entityTag)
    }

    /// Hands every byte of the request to `sink`: in order, each exactly once.
    ///
    /// A connection that breaks is resumed where it broke. `sink` is called on a thread of the
    /// transport, one call at a time, may block, and is not called again after this has returned or
    /// thrown. The span it gets is valid during the call only.
    ///
    /// - Throws: The error that `sink` threw; a `ZooError` with a `transport.…` code, where
    ///   `transport.ranges-ignored` means that only whole resources can be had from this server;
    ///   or `CancellationError`. Bytes that were delivered before stay delivered.
    package func stream(
        _ request: StreamRequest,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        let range = request.range ?? 0..<request.totalSize
        let goal = TransferGoal.bytes(range, totalSize: request.totalSize)
        _ = try await transfer(
            goal,
            url: request.url,
            headers: request.headers,
            entityTag: request.entityTag.flatMap { $0.hasPrefix("\"") ? $0 : nil },
            sink: sink
        )
    }

    /// Asks how long a resource is, and for its tag.
    ///
    /// - Returns: the length in bytes, and the tag when the server gives one.
    /// - Throws: A `ZooError` with a `transport.…` code, or `CancellationError`.
    package func length(of url: String) async throws -> (bytes: Int, entityTag: String?) {
        let result = try await transfer(.length, url: url, headers: []) { _ in }
        return (result.length ?? 0, result.entityTag)
    }

    private func transfer(
        _ goal: TransferGoal,
        url: String,
        headers: [HeaderField],
        entityTag: String? = nil,
        beforeEachRequest prepare: () -> Void = {},
        sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws -> TransferResult {
        for header in headers { try header.check() }
        var machine = TransferMachine(
            goal: goal,
            from: try WebAddress(parsing: url),
            headers: headers,
            policy: configuration.policy,
            strongTag: entityTag,
            jitter: configuration.jitter
        )
        var step = machine.start()
        while true {
            switch step {
            case .request(let request):
                prepare()
                let task = ExchangeTask(
                    request,
                    machine: machine,
                    settings: configuration,
                    sink: sink
                )
                let outcome = await pool.run(task)
                machine = outcome.machine
                step = machine.end(outcome.end)
            case .wait(let notice):
                configuration.onRetry(notice)
                try await configuration.clock.sleep(for: notice.delay)
                step = machine.waited()
            case .succeed(let result): return result
            case .fail(let error): throw error
            }
        }
    }
}
