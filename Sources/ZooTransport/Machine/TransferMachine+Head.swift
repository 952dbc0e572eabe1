// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// What the head of a response decides.
extension TransferMachine {
    /// Judges a head by its status and headers.
    mutating func judge(_ head: ResponseHead) -> Phase {
        switch head.status {
        case 200: judgeWhole(head)
        case 206: judgePart(head)
        case 301, 302, 303, 307, 308: judgeRedirect(head)
        case 304: judgeUnmodified(head)
        case 404, 410:
            drain(.fail(failure(.resourceNotFound, "the server answered \(head.status)")))
        case 401: drain(.fail(challenged(by: head)))
        case 403: drain(.fail(failure(.forbidden, "the server answered 403")))
        case 416: judgeUnsatisfied(head)
        case 408, 425, 429, 500...599:
            drain(
                .retry(
                    .transient(
                        .serverUnavailable,
                        "the server answered \(head.status)",
                        retryAfter: head.retryAfter
                    )
                )
            )
        default:
            drain(.fail(failure(.statusUnexpected, "the server answered \(head.status)")))
        }
    }

    private mutating func judgeWhole(_ head: ResponseHead) -> Phase {
        if let refusal = refusalOfEncoding(head) { return refusal }
        switch goal {
        case .length: return judgeLength(head, head.contentLength)
        case .document(let limit, _):
            if let length = head.contentLength, length > limit {
                return refuse(tooLarge(limit: limit))
            }
            result.entityTag = head["etag"]
            return .delivering(skip: 0, left: head.contentLength)
        case .bytes(let range, let totalSize):
            if let refusal = refusalOfTag(head) { return refusal }
            guard range == 0..<totalSize else {
                return refuse(
                    failure(
                        .rangesIgnored,
                        "the server sends the whole resource when asked for a part"
                    )
                )
            }
            if let length = head.contentLength, length != totalSize {
                return refuse(wrongSize(length, expected: totalSize))
            }
            adopt(head)
            // A server without ranges begins anew; what was delivered is read over.
            return .delivering(skip: delivered, left: totalSize)
        }
    }

    private mutating func judgePart(_ head: ResponseHead) -> Phase {
        if let refusal = refusalOfEncoding(head) { return refusal }
        if case .length = goal {
            guard case .part(_, let total)? = head.contentRange else {
                return judgeLength(head, nil)
            }
            return judgeLength(head, total)
        }
        guard case .bytes(let wanted, let totalSize) = goal,
            delivered > 0 || wanted != 0..<totalSize
        else {
            return refuse(
                failure(.rangeInvalid, "the server sends a part when asked for the whole")
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
                failure(.rangeInvalid, "the server sends bytes \(sent) when asked for \(asked)")
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

    private func judgeRedirect(_ head: ResponseHead) -> Phase {
        func refuse(_ reason: String) -> Phase { drain(.fail(failure(.redirectRefused, reason))) }
        guard let location = head["location"], let target = current.resolving(location) else {
            return refuse("the server redirects to no usable address")
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
        if case .length = goal, case .unsatisfied(let total)? = head.contentRange {
            return judgeLength(head, total)
        }
        guard case .bytes(_, let totalSize) = goal,
            case .unsatisfied(let total)? = head.contentRange, total != totalSize
        else { return drain(.fail(failure(.rangeInvalid, "the server answered 416"))) }
        return drain(.fail(wrongSize(total, expected: totalSize)))
    }

    // MARK: Shared conditions

    private func refusalOfEncoding(_ head: ResponseHead) -> Phase? {
        head.appliedEncoding.map { encoding in
            refuse(failure(.contentEncoded, "the body is encoded as \(encoding.quoted)"))
        }
    }

    /// Bytes of two versions must never be joined: a tag once seen has to come again.
    private func refusalOfTag(_ head: ResponseHead) -> Phase? {
        guard let strongTag, head["etag"] != strongTag else { return nil }
        let now = head["etag"]?.quoted ?? "no tag"
        return refuse(
            failure(
                .resourceChanged,
                "the resource changed on the way, from tag \(strongTag.quoted) to \(now)"
            )
        )
    }

    private mutating func adopt(_ head: ResponseHead) {
        strongTag = head.strongTag
        result.entityTag = head["etag"]
    }

    private func challenged(by head: ResponseHead) -> ZooError {
        Setback.permanent(.loginRequired, "the server answered 401").error(
            at: current,
            cause: head["www-authenticate"].map { AuthenticationChallenge(value: $0) }
        )
    }

    private func wrongSize(_ size: Int, expected: Int) -> ZooError {
        failure(.sizeMismatch, "the resource has \(size) bytes on the server, not \(expected)")
    }

    /// The error for a document that is longer than its limit.
    func tooLarge(limit: Int) -> ZooError {
        failure(.documentTooLarge, "the document is longer than \(ByteCount(limit))")
    }

    /// An error about the address that is being asked.
    func failure(_ code: ZooError.Code, _ reason: String) -> ZooError {
        Setback.permanent(code, reason).error(at: current)
    }

    private func drain(_ verdict: Verdict) -> Phase {
        .draining(left: Self.drainLimit, then: verdict)
    }

    /// Ends an exchange whose body may be large: closing the connection is cheaper than reading it.
    private func refuse(_ error: ZooError) -> Phase { .draining(left: 0, then: .fail(error)) }
}

extension String {
    /// Text of the server's as it may be shown: short, and without control characters.
    fileprivate var quoted: String { String(prefix(80)).debugDescription }
}
