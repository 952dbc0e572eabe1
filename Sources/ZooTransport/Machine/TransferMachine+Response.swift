// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// Heads of responses to requests whose status is handed to the caller.
extension TransferMachine {
    /// Judges a head: follows redirects, retries what is safe to repeat, delivers everything else.
    mutating func judgeResponse(
        _ head: ResponseHead,
        to method: HTTPRequest.Method,
        isIdempotent: Bool,
        limit: Int
    ) -> Phase {
        result.head = head
        result.address = current
        switch head.status {
        // A 204 has no body, whatever length it declares.
        case 204: return drain(.answered)
        case 200...299:
            if let refusal = refusalOfEncoding(head) { return refusal }
            // The length in an answer to HEAD is that of a body that does not follow.
            guard method != .head else { return drain(.answered) }
            if let length = head.contentLength, length > limit {
                return refuse(tooLarge(limit: limit))
            }
            return .delivering(skip: 0, left: head.contentLength)
        case 307, 308: return judgeRedirect(head)
        case 301, 302, 303:
            // Clients disagree on whether these turn a POST or PUT into a GET.
            guard method.isSafe else {
                let reason = "the server redirects a \(method.rawValue) with \(head.status)"
                return drain(.fail(failure(.redirectRefused, reason)))
            }
            return judgeRedirect(head)
        case 407: return drain(.fail(proxyLogin()))
        case 511: return drain(.fail(TransferFailure(status: head).error(at: current)))
        // A full disk stays full until somebody frees space.
        case 507: return .excerpt(left: limit)
        case 408, 425, 429, 500...599:
            // With 429 and 503 and a time for the retry, the server says that it did nothing.
            let isDeclined = [429, 503].contains(head.status) && head.retryAfter != nil
            guard isIdempotent || isDeclined else { return .excerpt(left: limit) }
            return drain(.retry(TransferFailure(status: head)))
        default: return .excerpt(left: limit)
        }
    }
}
