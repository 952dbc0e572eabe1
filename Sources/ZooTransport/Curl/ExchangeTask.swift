// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization

/// One exchange to be done by a worker, and the flag that ends it early.
final class ExchangeTask: Sendable {
    let request: OutgoingRequest
    /// The machine as it is before the exchange; the worker advances a copy.
    let machine: TransferMachine
    let settings: TransportConfiguration
    /// Takes the bytes on the worker's thread; never called after the exchange has ended.
    let sink: @Sendable (RawSpan) throws -> Void
    private let cancelled = Atomic(false)

    init(
        _ request: OutgoingRequest,
        machine: TransferMachine,
        settings: TransportConfiguration,
        sink: @escaping @Sendable (RawSpan) throws -> Void
    ) {
        self.request = request
        self.machine = machine
        self.settings = settings
        self.sink = sink
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() { cancelled.store(true, ordering: .releasing) }
}

/// The machine as it is after an exchange, and how the exchange ended.
struct ExchangeOutcome: Sendable {
    var machine: TransferMachine
    let end: ExchangeEnd
}
