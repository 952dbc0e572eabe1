// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a transfer is to deliver.
enum TransferGoal: Sendable {
    /// A whole resource of unknown size up to `limit` bytes, unless the entity tag is still current.
    case document(limit: Int, entityTag: String?)
    /// The size of a resource and none of its bytes.
    case length
    /// These bytes of a resource of `totalSize` bytes.
    case bytes(Range<Int>, totalSize: Int)
    /// The response to one request, whatever its status, with up to `limit` bytes of a body.
    case response(to: HTTPRequest.Method, isIdempotent: Bool, limit: Int)

    /// Whether every attempt delivers from the first byte again.
    var startsAnew: Bool {
        switch self {
        case .document, .response: true
        case .length, .bytes: false
        }
    }
}

/// One request, ready to be sent.
struct OutgoingRequest: Sendable, Hashable {
    /// The address.
    let address: WebAddress
    /// The method.
    let method: HTTPRequest.Method
    /// The requested bytes; nil for a request without a range.
    let range: Range<Int>?
    /// All headers but the range.
    let headers: [HeaderField]
    /// Whether the request can be sent again when it may have arrived.
    let isIdempotent: Bool
    /// The longest time that this exchange may pass without progress.
    let patience: Duration
}

/// What the driver does next, between exchanges.
enum Step: Sendable {
    /// Send this request.
    case request(OutgoingRequest)
    /// Wait as long as the notice says, then call ``TransferMachine/waited()``.
    case wait(RetryNotice)
    /// The transfer is complete.
    case succeed(TransferResult)
    /// The transfer has failed.
    case fail(any Error)
}

/// What a complete transfer learned besides its bytes.
struct TransferResult: Sendable, Hashable {
    /// Whether the server confirmed the cached copy that the request named.
    var isNotModified = false
    /// The entity tag of what was received.
    var entityTag: String?
    /// The size of the resource, for ``TransferGoal/length``.
    var length: Int?
    /// The head of the response, for ``TransferGoal/response(to:isIdempotent:limit:)``.
    var head: ResponseHead?
    /// The address that sent the head.
    var address: WebAddress?
}

/// What the driver does with the bytes at hand and those that follow.
enum Reading: Sendable, Hashable {
    /// Deliver the bytes, except so many at their start, which were delivered before.
    case deliver(skipping: Int)
    /// Continue reading, deliver nothing.
    case discard
    /// Stop reading and end this exchange.
    case stop
}

/// How one exchange ended.
enum ExchangeEnd: Sendable {
    /// The response was complete, or the machine said stop.
    case complete
    /// The network failed.
    case failed(TransferFailure)
    /// The caller ended it: cancellation, or an error of the caller's code.
    case aborted(any Error)
}
