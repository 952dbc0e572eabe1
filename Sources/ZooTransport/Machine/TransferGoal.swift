// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What one transfer is after.
enum TransferGoal: Sendable {
    /// A whole resource of unknown length up to `limit` bytes, unless the tag is still current.
    case document(limit: Int, entityTag: String?)
    /// How long a resource is; none of its bytes.
    case length
    /// These bytes of a resource of `totalSize` bytes.
    case bytes(Range<Int>, totalSize: Int)
}

/// One request, ready to be sent.
struct OutgoingRequest: Sendable, Hashable {
    /// Where to.
    let address: WebAddress
    /// The bytes asked for; nil when no range is asked for.
    let range: Range<Int>?
    /// All headers but the range.
    let headers: [HeaderField]
}

/// What the driver does next, between exchanges.
enum Step: Sendable {
    /// Send this request; a document starts anew, a stream goes on.
    case request(OutgoingRequest)
    /// Wait as long as the notice says, then ask ``TransferMachine/waited()``.
    case wait(RetryNotice)
    /// All is there.
    case succeed(TransferResult)
    /// It is over.
    case fail(any Error)
}

/// What a finished transfer brought besides its bytes.
struct TransferResult: Sendable, Hashable {
    /// Whether the server confirmed the copy that the request named.
    var isNotModified = false
    /// The tag of what was received.
    var entityTag: String?
    /// The length of the resource, when that was asked.
    var length: Int?
}

/// What the driver does with the bytes at hand and those to come.
enum Reading: Sendable, Hashable {
    /// Deliver them, except so many at their beginning, which were delivered before.
    case deliver(skipping: Int)
    /// Read on, deliver nothing.
    case discard
    /// Read no further; give up this exchange.
    case stop
}

/// How one exchange ended.
enum ExchangeEnd: Sendable {
    /// The response ended as its own framing says, or the machine asked to stop.
    case complete
    /// The network failed.
    case failed(Setback)
    /// The caller ended it: cancellation, or an error from whoever takes the bytes.
    case aborted(any Error)
}
