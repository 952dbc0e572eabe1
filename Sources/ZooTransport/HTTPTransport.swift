// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import ZooCore

/// Transfers bytes over HTTP and retries transient failures.
///
/// Connections stay open between transfers and are closed with the transport. The transport delivers
/// what the server sent; the caller verifies it.
package final class HTTPTransport: Sendable {
    private let configuration: TransportConfiguration
    private let limiter: RateLimiter?
    private let pool: CurlWorkerPool

    /// Makes a transport; it opens connections when they are needed.
    package init(configuration: TransportConfiguration) {
        self.configuration = configuration
        limiter = configuration.policy.maximumRate.map { RateLimiter(rate: $0) }
        pool = CurlWorkerPool(limit: configuration.policy.connections)
    }

    deinit { pool.close() }

    /// Downloads a small resource into memory.
    ///
    /// - Throws: A `ZooError` with a `transport.…` code, such as `transport.not-found`, or
    ///   `CancellationError`.
    package func document(_ request: DocumentRequest) async throws -> DocumentReply {
        let collector = ByteCollector()
        let goal = TransferGoal.document(limit: request.limit, entityTag: request.entityTag)
        let result = try await transfer(
            goal,
            url: request.url,
            headers: request.headers,
            beforeEachRequest: { collector.reset() },
            sink: { collector.append($0) }
        )
        if result.isNotModified { return .notModified }
        return .fetched(bytes: collector.bytes, entityTag: result.entityTag)
    }

    /// Hands every byte of the request to `sink`: in order, each exactly once.
    ///
    /// A connection that breaks is resumed at the next byte. `sink` is called on a thread of the
    /// transport, one call at a time, may block, and is not called after this method has returned or
    /// thrown. The span is valid during the call only.
    ///
    /// - Throws: The error that `sink` threw; a `ZooError` with a `transport.…` code, of which
    ///   `transport.ranges-ignored` means that this server sends whole resources only; or
    ///   `CancellationError`. Bytes that were delivered before stay delivered.
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

    /// Requests the size and the entity tag of a resource.
    ///
    /// - Returns: The size in bytes, and the entity tag if the server sends one.
    /// - Throws: A `ZooError` with a `transport.…` code, or `CancellationError`.
    package func length(of url: String) async throws -> (bytes: Int, entityTag: String?) {
        let result = try await transfer(.length, url: url, headers: []) { _ in }
        return (result.length ?? 0, result.entityTag)
    }

    /// Sends a request, with its body if it has one, and returns the response whatever its status.
    ///
    /// The body is read while it is sent and never held whole. Redirects with 307 and 308 are
    /// followed with method and body, those with 301, 302 and 303 only by GET and HEAD; credentials
    /// go to the original server only. A request is sent again
    /// - after a failure before it was sent, such as a refused connection;
    /// - after 429 and 503 with `Retry-After`;
    /// - if it is idempotent, after any transient failure, and after 408, 425, 429 and 5xx.
    ///
    /// - Throws: The error that the body threw; a `ZooError` with a `transport.…` code; or
    ///   `CancellationError`. `transport.interrupted` and `transport.stalled` for a request that is not
    ///   idempotent leave open whether the server has acted on it.
    package func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let collector = ByteCollector()
        let result = try await transfer(
            .response(
                to: request.method,
                isIdempotent: request.isIdempotent,
                limit: request.limit
            ),
            url: request.url,
            headers: request.headers,
            body: request.body,
            beforeEachRequest: { collector.reset() },
            sink: { collector.append($0) }
        )
        guard let head = result.head, let address = result.address else {
            preconditionFailure("a response without head")
        }
        let body = Array(collector.bytes.prefix(request.limit))
        return HTTPResponse(head: head, address: address, body: body)
    }

    private func transfer(
        _ goal: TransferGoal,
        url: String,
        headers: [HeaderField],
        entityTag: String? = nil,
        body: RequestBody? = nil,
        beforeEachRequest prepare: () -> Void = {},
        sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws -> TransferResult {
        for header in headers { try header.check() }
        var machine = TransferMachine(
            goal: goal,
            from: try WebAddress(parsing: url),
            headers: headers,
            policy: configuration.policy,
            proxies: configuration.proxies,
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
                    body: body,
                    machine: machine,
                    settings: configuration,
                    limiter: limiter,
                    sink: sink
                )
                let outcome = await pool.run(task)
                machine = outcome.machine
                step = machine.end(outcome.end, quiet: outcome.quiet)
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

/// The bytes of a body that is held in memory.
private final class ByteCollector: Sendable {
    private let collected = Mutex<[UInt8]>([])

    var bytes: [UInt8] { collected.withLock { $0 } }

    /// Forgets what a failed attempt delivered.
    func reset() { collected.withLock { $0.removeAll(keepingCapacity: true) } }

    func append(_ span: RawSpan) {
        collected.withLock { bytes in
            unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        }
    }
}
