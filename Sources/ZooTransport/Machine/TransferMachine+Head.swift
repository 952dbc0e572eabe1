// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// The judgement of the head of a response.
extension TransferMachine {
    /// Judges a head by its status and headers.
    mutating func judge(_ head: ResponseHead) -> Phase {
        if case .response(let method, let isIdempotent, let limit) = goal {
            return judgeResponse(head, to: method, isIdempotent: isIdempotent, limit: limit)
        }
        switch head.status {
        case 200: return judgeWhole(head)
        case 206: return judgePart(head)
        case 301, 302, 303, 307, 308: return judgeRedirect(head)
        case 304: return judgeUnmodified(head)
        case 401: return drain(.fail(challenged(by: head)))
        case 407: return drain(.fail(proxyLogin()))
        case 416: return judgeUnsatisfied(head)
        default:
            let failure = TransferFailure(status: head)
            return drain(
                failure.isTransient ? .retry(failure) : .fail(failure.error(at: current))
            )
        }
    }

    private mutating func judgeWhole(_ head: ResponseHead) -> Phase {
        if let refusal = refusalOfEncoding(head) { return refusal }
        switch goal {
        case .response: preconditionFailure("judged elsewhere")
        case .length:
            // None of its bytes are read, so that the declared type has to decide.
            if head.isWebPage { return refuse(webPage()) }
            return judgeLength(head, head.contentLength)
        case .document(let limit, _):
            if let length = head.contentLength, length > limit {
                return refuse(head.isWebPage ? webPage() : tooLarge(limit: limit))
            }
            result.entityTag = head["etag"]
            return .delivering(skip: 0, left: head.contentLength)
        case .bytes(let range, let totalSize):
            if head.isWebPage, let length = head.contentLength, length != totalSize {
                return refuse(webPage())
            }
            if let refusal = refusalOfTag(head) { return refusal }
            guard range == 0..<totalSize else {
                return refuse(
                    failure(
                        .rangesIgnored,
                        "the server sends the whole resource in response to a range request"
                    )
                )
            }
            if let length = head.contentLength, length != totalSize {
                return refuse(wrongSize(length, expected: totalSize))
            }
            adopt(head)
            // A server without ranges starts from the first byte; delivered bytes are skipped.
            return .delivering(skip: delivered, left: totalSize)
        }
    }

    private mutating func judgePart(_ head: ResponseHead) -> Phase {
        if let refusal = refusalOfEncoding(head) { return refusal }
        if case .length = goal {
            guard case .part(let sent, let total)? = head.contentRange, sent.lowerBound == 0 else {
                return judgeLength(head, nil)
            }
            return judgeLength(head, total)
        }
        guard case .bytes(let wanted, let totalSize) = goal,
            delivered > 0 || wanted != 0..<totalSize
        else {
            return refuse(
                failure(.rangeInvalid, "the server sends a part in response to a whole request")
            )
        }
        if let refusal = refusalOfTag(head) { return refusal }
        let asked = wanted.lowerBound + delivered..<wanted.upperBound
        guard case .part(let sent, let total)? = head.contentRange else {
            let text = head["content-range"].map { "the range \($0.quoted)" }
            return refuse(
                failure(
                    .rangeInvalid,
                    "the server sends a part with \(text ?? "no range") for \(asked)"
                )
            )
        }
        if let total, total != totalSize { return refuse(wrongSize(total, expected: totalSize)) }
        guard sent == asked, head.contentLength ?? asked.count == asked.count else {
            return refuse(
                failure(
                    .rangeInvalid,
                    "the server sends bytes \(sent), and \(asked) were requested"
                )
            )
        }
        adopt(head)
        return .delivering(skip: 0, left: asked.count)
    }

    private mutating func judgeLength(_ head: ResponseHead, _ length: Int?) -> Phase {
        guard let length else {
            return refuse(failure(.replyMalformed, "the server does not say how long it is"))
        }
        result.length = length
        result.entityTag = head["etag"]
        return .draining(left: 0, then: .answered)
    }

    func judgeRedirect(_ head: ResponseHead) -> Phase {
        func refuse(_ reason: String) -> Phase { drain(.fail(failure(.redirectRefused, reason))) }
        guard let location = head["location"], let target = current.resolving(location) else {
            return refuse("the server redirects without a usable address")
        }
        if current.scheme == "https", target.scheme == "http" {
            return refuse("the server redirects from https to \(target)")
        }
        if target.url == current.url || visited.contains(target.url) {
            return refuse("the server redirects in a circle, to \(target)")
        }
        if visited.count >= Self.redirectLimit {
            return refuse("the server redirects more than \(Self.redirectLimit) times")
        }
        return drain(.redirect(target))
    }

    private func judgeUnmodified(_ head: ResponseHead) -> Phase {
        guard case .document(_, .some) = goal else {
            return drain(.fail(failure(.statusUnexpected, "the server answered 304")))
        }
        return drain(.notModified)
    }

    /// A range inside the resource cannot be unsatisfiable, unless the resource is not that long.
    private mutating func judgeUnsatisfied(_ head: ResponseHead) -> Phase {
        // Only an empty resource lacks its first byte.
        if case .length = goal, case .unsatisfied(total: 0)? = head.contentRange {
            return judgeLength(head, 0)
        }
        guard case .bytes(_, let totalSize) = goal,
            case .unsatisfied(let total)? = head.contentRange, total != totalSize
        else { return drain(.fail(failure(.rangeInvalid, "the server answered 416"))) }
        return drain(.fail(wrongSize(total, expected: totalSize)))
    }

    // MARK: Shared conditions

    func refusalOfEncoding(_ head: ResponseHead) -> Phase? {
        head.appliedEncoding.map { encoding in
            refuse(failure(.contentEncoded, "the body is encoded as \(encoding.quoted)"))
        }
    }

    /// Refuses another version of the resource: bytes of two versions must never be joined.
    private func refusalOfTag(_ head: ResponseHead) -> Phase? {
        guard let strongTag, head["etag"] != strongTag else { return nil }
        let now = head["etag"]?.quoted ?? "no tag"
        return refuse(
            failure(
                .resourceChanged,
                "the resource changed during the transfer, from entity tag \(strongTag.quoted) "
                    + "to \(now)"
            )
        )
    }

    private mutating func adopt(_ head: ResponseHead) {
        strongTag = head.strongTag
        result.entityTag = head["etag"]
    }

    // MARK: Errors

    private func challenged(by head: ResponseHead) -> ZooError {
        TransferFailure(status: head).error(at: current, cause: AuthenticationChallenge(head))
    }

    private func wrongSize(_ size: Int, expected: Int) -> ZooError {
        failure(.sizeMismatch, "the resource has \(size) bytes on the server, not \(expected)")
    }

    /// The error for a document that is longer than its limit.
    func tooLarge(limit: Int) -> ZooError {
        failure(.documentTooLarge, "the document is longer than \(ByteCount(limit))")
    }

    /// The error for a web page in place of a document or blob.
    func webPage() -> ZooError {
        let source = current == origin ? "" : ", from \(current)"
        return TransferFailure.permanent(.webPage, "a web page came instead of the file\(source)")
            .error(at: origin)
    }

    /// The error for a 407 in place of an answer of the server.
    func proxyLogin() -> ZooError {
        let proxy = proxies.name(for: current.scheme).map { "the proxy \($0)" } ?? "a proxy"
        return failure(.proxyLoginRequired, "\(proxy) answered 407")
    }

    /// An error about the address of the current request.
    func failure(_ code: ZooError.Code, _ reason: String) -> ZooError {
        TransferFailure.permanent(code, reason).error(at: current)
    }

    // MARK: Ends of exchanges

    func drain(_ verdict: Verdict) -> Phase { .draining(left: Self.drainLimit, then: verdict) }

    /// Ends an exchange whose body may be large: closing the connection is cheaper than reading it.
    func refuse(_ error: ZooError) -> Phase { .draining(left: 0, then: .fail(error)) }
}

extension String {
    /// Text of a server as messages show it: short, and without control characters.
    fileprivate var quoted: String { String(prefix(80)).debugDescription }
}
