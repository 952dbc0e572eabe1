// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization

/// One exchange for a worker, and the flag that cancels it.
final class ExchangeTask: Sendable {
    let request: OutgoingRequest
    /// The body of the request.
    let body: RequestBody?
    /// The machine before the exchange; the worker advances a copy.
    let machine: TransferMachine
    let settings: TransportConfiguration
    let limiter: RateLimiter?
    /// Takes the bytes on the worker's thread; never called after the exchange has ended.
    let sink: @Sendable (RawSpan) throws -> Void
    private let cancelled = Atomic(false)

    init(
        _ request: OutgoingRequest,
        body: RequestBody?,
        machine: TransferMachine,
        settings: TransportConfiguration,
        limiter: RateLimiter?,
        sink: @escaping @Sendable (RawSpan) throws -> Void
    ) {
        self.request = request
        self.body = body
        self.machine = machine
        self.settings = settings
        self.limiter = limiter
        self.sink = sink
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() { cancelled.store(true, ordering: .releasing) }
}

/// The machine after an exchange, and how the exchange ended.
struct ExchangeOutcome: Sendable {
    var machine: TransferMachine
    let end: ExchangeEnd
    /// How long the exchange had passed without progress when it ended.
    var quiet = Duration.zero
}
