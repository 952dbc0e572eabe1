// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// The rules of one transfer: what to request, what to accept, when to retry, when to give up.
///
/// The machine uses no sockets and no clocks. The driver calls ``start()``; then for each request
/// ``receive(_:)`` with the head of the response, ``receive(count:opening:)`` with its bytes, and
/// ``end(_:quiet:)`` at its end; and after each wait ``waited()``. Each reply says what to do next.
///
/// Every attempt starts at the original address, because the target of a redirect may be signed for
/// a few minutes only.
struct TransferMachine: Sendable {
    /// What happens once the body of a response that delivers nothing has ended.
    enum Verdict: Sendable {
        case redirect(WebAddress)
        case retry(TransferFailure)
        case fail(ZooError)
        case notModified
        /// The head said everything.
        case answered
    }

    enum Phase: Sendable {
        case awaitingHead
        /// Delivering after `skip` bytes that were delivered before; `left` more bytes are due, nil if
        /// unknown.
        case delivering(skip: Int, left: Int?)
        /// Delivering up to `left` bytes of the body of an error, which need not be complete.
        case excerpt(left: Int)
        /// Reading up to `left` bytes of an irrelevant body, to keep the connection open.
        case draining(left: Int, then: Verdict)
    }

    /// The longest irrelevant body to read; for a longer one, closing the connection is cheaper.
    static let drainLimit = 64 << 10
    static let redirectLimit = 10

    let goal: TransferGoal
    let policy: TransferPolicy
    let proxies: ProxySettings
    let origin: WebAddress
    let headers: [HeaderField]
    private let jitter: @Sendable () -> Double
    /// The strong tag of the version that the caller wants.
    private let wantedTag: String?

    var phase = Phase.awaitingHead
    /// The address of the current request: the origin, or the target of a redirect.
    var current: WebAddress
    var visited: Set<String> = []
    /// Whether the first bytes of the body may be those of a web page.
    private(set) var suspectsPage = false
    /// Bytes of the goal that have been delivered.
    private(set) var delivered = 0
    /// Bytes that the current attempt has delivered.
    private var deliveredNow = 0
    private var streak = FailureStreak()
    /// The time without progress so far.
    private var idle = Duration.zero
    /// What the head of the response said about the resource.
    var result = TransferResult()
    /// The strong tag that later responses must have.
    var strongTag: String?

    /// Makes the machine for one transfer.
    init(
        goal: TransferGoal,
        from origin: WebAddress,
        headers: [HeaderField],
        policy: TransferPolicy,
        proxies: ProxySettings = .none,
        strongTag: String? = nil,
        jitter: @escaping @Sendable () -> Double
    ) {
        if case .bytes(let range, let totalSize) = goal {
            precondition(
                range.lowerBound >= 0 && range.upperBound <= totalSize,
                "bytes \(range) of a resource of \(totalSize) bytes"
            )
        }
        self.goal = goal
        self.policy = policy
        self.proxies = proxies
        self.origin = origin
        self.headers = headers
        self.jitter = jitter
        wantedTag = strongTag
        current = origin
    }

    /// Starts the transfer.
    mutating func start() -> Step {
        // Without a byte to request, there is nothing that a server could answer with 206.
        if case .bytes(let range, let totalSize) = goal, range.isEmpty, totalSize > 0 {
            return .succeed(result)
        }
        return restart()
    }

    /// Continues after a wait.
    mutating func waited() -> Step { restart() }

    /// Takes the head of a response, before any of its bytes.
    mutating func receive(_ head: ResponseHead) -> Reading {
        suspectsPage = false
        phase = judge(head)
        switch phase {
        case .delivering:
            suspectsPage = head.mayBeWebPage && !isResponse
            return .deliver(skipping: 0)
        case .awaitingHead, .excerpt: return .deliver(skipping: 0)
        case .draining(let left, _): return left > 0 ? .discard : .stop
        }
    }

    /// Takes `count` bytes of the body; `opening` are the first of them while ``suspectsPage``.
    mutating func receive(count: Int, opening: some Collection<UInt8> = []) -> Reading {
        switch phase {
        case .awaitingHead:
            phase = .draining(left: 0, then: .fail(failure(.replyMalformed, "a body without head")))
            return .stop
        case .draining(let left, let verdict):
            phase = .draining(left: left - count, then: verdict)
            return count < left ? .discard : .stop
        case .excerpt(let left):
            phase = .excerpt(left: left - count)
            return left > 0 ? .deliver(skipping: 0) : .stop
        case .delivering(let skip, let left):
            if suspectsPage, count > 0 {
                suspectsPage = false
                if opening.beginsWebPage { return stop(webPage()) }
            }
            if let left, count > left { return stop(overlong()) }
            let skipped = min(skip, count)
            let fresh = count - skipped
            if let limit, fresh > limit - delivered { return stop(overlong()) }
            phase = .delivering(skip: skip - skipped, left: left.map { $0 - count })
            delivered += fresh
            deliveredNow += fresh
            return fresh > 0 ? .deliver(skipping: skipped) : .discard
        }
    }

    /// Takes the end of the exchange, and how long it passed without progress at its end.
    mutating func end(_ end: ExchangeEnd, quiet: Duration = .zero) -> Step {
        if case .aborted(let error) = end { return .fail(error) }
        let progressed = hasProgressed(until: end)
        idle = progressed ? quiet : idle + quiet
        if progressed { streak = FailureStreak() }
        switch phase {
        // Once the head has been judged, the end of its irrelevant body does not matter.
        case .draining(_, let verdict): return follow(verdict)
        case .excerpt: return .succeed(result)
        // All bytes are here. A connection that breaks now took none of them away, and there is no
        // range left to ask for.
        case .delivering(_, left: 0): return .succeed(result)
        case .delivering, .awaitingHead: break
        }
        if case .failed(let failure) = end {
            return failure.precedesRequest ? retry(after: failure) : repeatRequest(after: failure)
        }
        guard case .delivering(_, let left) = phase else {
            return repeatRequest(
                after: .transient(.interrupted, "the server closed without an answer")
            )
        }
        guard let left else { return .succeed(result) }
        let reason = "the connection closed \(ByteCount(left)) before the end"
        return repeatRequest(after: .transient(.interrupted, reason))
    }

    private mutating func follow(_ verdict: Verdict) -> Step {
        switch verdict {
        case .redirect(let target):
            visited.insert(current.url)
            current = target
            phase = .awaitingHead
            return .request(nextRequest())
        case .retry(let failure): return retry(after: failure)
        case .fail(let error): return .fail(error)
        case .notModified:
            result.isNotModified = true
            return .succeed(result)
        case .answered: return .succeed(result)
        }
    }

    private mutating func restart() -> Step {
        current = origin
        visited = []
        phase = .awaitingHead
        deliveredNow = 0
        if goal.startsAnew { delivered = 0 }
        // Without a delivered byte nothing binds this attempt to the version that the last one met.
        if delivered == 0 { strongTag = wantedTag }
        return .request(nextRequest())
    }

    private func nextRequest() -> OutgoingRequest {
        var sent =
            current.sharesOrigin(with: origin) ? headers : headers.filter { !$0.isCredential }
        var range: Range<Int>?
        var (method, isIdempotent) = (HTTPRequest.Method.get, true)
        switch goal {
        case .document(_, let tag):
            if let tag { sent.append(HeaderField("If-None-Match", tag)) }
        case .length: range = 0..<1
        case .bytes(let wanted, let totalSize):
            let isWhole = delivered == 0 && wanted == 0..<totalSize
            range = isWhole ? nil : wanted.lowerBound + delivered..<wanted.upperBound
            if range != nil, let strongTag { sent.append(HeaderField("If-Range", strongTag)) }
        case .response(let wanted, let wantedIdempotent, _):
            (method, isIdempotent) = (wanted, wantedIdempotent)
        }
        return OutgoingRequest(
            address: current,
            method: method,
            range: range,
            headers: sent,
            isIdempotent: isIdempotent,
            // Slow redirects may have used all of it; the next silence then ends the transfer.
            patience: max(.milliseconds(1), policy.timeout - idle)
        )
    }

    /// The most bytes to deliver, where that is not the size of the resource.
    private var limit: Int? {
        switch goal {
        case .document(let limit, _), .response(_, _, let limit): limit
        case .length, .bytes: nil
        }
    }

    private var isResponse: Bool { if case .response = goal { true } else { false } }

    private func overlong() -> ZooError {
        if let limit { return tooLarge(limit: limit) }
        return failure(.sizeMismatch, "the server sends more bytes than the resource has")
    }

    private mutating func stop(_ error: ZooError) -> Reading {
        phase = .draining(left: 0, then: .fail(error))
        return .stop
    }
}

// MARK: - Retries

extension TransferMachine {
    /// Whether the attempt has delivered enough for the count of failures to start again.
    private func hasProgressed(until end: ExchangeEnd) -> Bool {
        // An attempt that starts anew loses what a broken one delivered.
        guard !goal.startsAnew else { return false }
        // A server that sends a few bytes in each attempt would otherwise be retried for ever.
        let isStalled =
            if case .failed(let failure) = end { failure.code == .stalled } else { false }
        return deliveredNow > (isStalled ? policy.stallBytes : 0)
    }

    /// Retries after a failure that leaves open whether the server has acted on the request.
    private mutating func repeatRequest(after failure: TransferFailure) -> Step {
        guard case .response(let method, isIdempotent: false, _) = goal, failure.isTransient else {
            return retry(after: failure)
        }
        return .fail(
            ZooError(
                failure.code,
                "\(current): \(failure.reason), and the server may have carried out the "
                    + "\(method.rawValue)",
                remedy: "look at what the server has before you run the same command again"
            )
        )
    }

    private mutating func retry(after failure: TransferFailure) -> Step {
        guard failure.isTransient else { return .fail(failure.error(at: current)) }
        streak.add(failure)
        guard streak.count < policy.attempts else {
            return .fail(failure.error(at: current, repetition: streak.repetition))
        }
        let delay = failure.retryAfter ?? backoff(failures: streak.count)
        guard idle + delay < policy.timeout else {
            guard let asked = failure.retryAfter else {
                return .fail(failure.error(at: current, repetition: streak.repetition))
            }
            let reason = "\(failure.reason) and asks for a retry in \(asked.inSeconds)"
            return .fail(TransferFailure.permanent(failure.code, reason).error(at: current))
        }
        idle += delay
        return .wait(
            RetryNotice(
                address: current.description,
                reason: failure.reason,
                delay: delay,
                failures: streak.count,
                delivered: delivered
            )
        )
    }

    /// Exponential backoff with full jitter: a random time up to the bound, to spread the clients.
    private func backoff(failures: Int) -> Duration {
        let doublings = min(failures - 1, 30)
        let bound = min(policy.backoffCap, policy.backoffBase * (1 << doublings))
        return bound * jitter()
    }
}
