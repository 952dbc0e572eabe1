// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

extension TransferMachine {
    /// A machine for bytes of a resource at `https://zoo.example/blob`; waits are their bounds.
    static func bytes(
        _ range: Range<Int>,
        of totalSize: Int,
        headers: [HeaderField] = [],
        policy: TransferPolicy = TransferPolicy()
    ) throws -> TransferMachine {
        TransferMachine(
            goal: .bytes(range, totalSize: totalSize),
            from: try WebAddress(parsing: "https://zoo.example/blob"),
            headers: headers,
            policy: policy,
            jitter: { 1 }
        )
    }

    /// A machine for a document at `https://zoo.example/document`.
    static func document(limit: Int = 1000, entityTag: String? = nil) throws -> TransferMachine {
        TransferMachine(
            goal: .document(limit: limit, entityTag: entityTag),
            from: try WebAddress(parsing: "https://zoo.example/document"),
            headers: [],
            policy: TransferPolicy(),
            jitter: { 1 }
        )
    }

    /// A machine for the response to a request to `https://zoo.example/upload`.
    static func response(
        to method: HTTPRequest.Method,
        isIdempotent: Bool? = nil,
        limit: Int = 1000,
        headers: [HeaderField] = []
    ) throws -> TransferMachine {
        TransferMachine(
            goal: .response(
                to: method,
                isIdempotent: isIdempotent ?? method.isIdempotent,
                limit: limit
            ),
            from: try WebAddress(parsing: "https://zoo.example/upload"),
            headers: headers,
            policy: TransferPolicy(),
            jitter: { 1 }
        )
    }

    /// A machine for the length of a resource at `https://zoo.example/blob`.
    static func length() throws -> TransferMachine {
        TransferMachine(
            goal: .length,
            from: try WebAddress(parsing: "https://zoo.example/blob"),
            headers: [],
            policy: TransferPolicy(),
            jitter: { 1 }
        )
    }

    /// Plays one response as the driver would, stopping where the machine says so.
    mutating func exchange(
        _ head: ResponseHead,
        bytes count: Int = 0,
        opening: String = "",
        ending end: ExchangeEnd = .complete
    ) -> Step {
        if receive(head) == .stop { return self.end(.complete) }
        let total = max(count, opening.utf8.count)
        if total > 0, receive(count: total, opening: opening.utf8) == .stop {
            return self.end(.complete)
        }
        return self.end(end)
    }
}

extension ResponseHead {
    /// A head with headers by name in lower case.
    static func answer(_ status: Int, _ headers: [String: String] = [:]) -> ResponseHead {
        var head = ResponseHead(status: status, receivedAt: 1_700_000_000)
        for (name, value) in headers { head[name] = value }
        return head
    }

    /// A correct partial answer.
    static func part(_ range: Range<Int>, of total: Int, tag: String? = nil) -> ResponseHead {
        var head = answer(206, ["content-length": "\(range.count)"])
        head["content-range"] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)"
        head["etag"] = tag
        return head
    }
}

extension ExchangeEnd {
    /// A connection that breaks.
    static let reset = ExchangeEnd.failed(.transient(.interrupted, "connection reset by peer"))
}

extension Step {
    var request: OutgoingRequest? { if case .request(let request) = self { request } else { nil } }
    var notice: RetryNotice? { if case .wait(let notice) = self { notice } else { nil } }
    var result: TransferResult? { if case .succeed(let result) = self { result } else { nil } }
    var error: ZooError? { if case .fail(let error) = self { error as? ZooError } else { nil } }
}
