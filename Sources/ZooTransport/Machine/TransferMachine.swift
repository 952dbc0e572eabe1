// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// The rules of one transfer: what to ask, what to believe, when to try again, when to give up.
///
/// It knows neither sockets nor clocks. The driver calls ``start()``, and for every request that
/// comes back ``receive(_:)`` for the head, ``receive(count:)`` for the bytes and ``end(_:)`` for
/// the end; after a wait it calls ``waited()``. Each answer says what to do next.
///
/// Every new attempt starts at the original address: the target of a redirect may have been signed
/// for minutes only.
struct TransferMachine: Sendable {
    /// What happens when the body of a response that delivers nothing has ended.
    enum Verdict: Sendable {
        case redirect(WebAddress)
        case retry(Setback)
        case fail(ZooError)
        case notModified
        /// The head said all that was asked.
        case answered
    }

    enum Phase: Sendable {
        case awaitingHead
        /// Delivering after dropping `skip` bytes; `left` more bytes are due, nil if not known.
        case delivering(skip: Int, left: Int?)
        /// Reading a body of no interest, up to `left` more bytes, to keep the connection alive.
        case draining(left: Int, then: Verdict)
    }

    /// A body of no interest is read up to this length; a longer one costs the connection.
    static let drainLimit = 64 << 10
    static let redirectLimit = 10

    let goal: TransferGoal
    let policy: TransferPolicy
    let origin: WebAddress
    let headers: [HeaderField]
    private let jitter: @Sendable () -> Double

    var phase = Phase.awaitingHead
    /// Where the request under way goes: the origin, or where redirects led.
    var current: WebAddress
    var visited: Set<String> = []
    /// Bytes of the goal that have been delivered.
    private(set) var delivered = 0
    /// Bytes that the exchange under way has delivered.
    private var deliveredNow = 0
    private var streak = FailureStreak()
    /// What the head of the response said about the resource; a strong tag binds later responses.
    var result = TransferResult()
    var strongTag: String?

    /// Makes the machine for one transfer.
    init(
        goal: TransferGoal,
        from origin: WebAddress,
        headers: [HeaderField],
        policy: TransferPolicy,
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
        self.origin = origin
        self.headers = headers
        self.jitter = jitter
        self.strongTag = strongTag
        current = origin
    }

    /// Begins the transfer.
    mutating func start() -> Step {
        // No byte of a longer resource is wanted: there is nothing to ask for.
        if case .bytes(let range, let totalSize) = goal, range.isEmpty, totalSize > 0 {
            return .succeed(result)
        }
        return restart()
    }

    /// Continues after a wait.
    mutating func waited() -> Step { restart() }

    /// Takes the head of a response, before any of its bytes.
    mutating func receive(_ head: ResponseHead) -> Reading {
        phase = judge(head)
        switch phase {
        case .awaitingHead, .delivering: return .deliver(skipping: 0)
        case .draining(let left, _): return left > 0 ? .discard : .stop
        }
    }

    /// Takes note of `count` bytes of the body.
    mutating func receive(count: Int) -> Reading {
        switch phase {
        case .awaitingHead:
            phase = .draining(left: 0, then: .fail(failure(.replyMalformed, "a body without head")))
            return .stop
        case .draining(let left, let verdict):
            phase = .draining(left: left - count, then: verdict)
            return count < left ? .discard : .stop
        case .delivering(let skip, let left):
            if let left, count > left { return overlong() }
            let skipped = min(skip, count)
            let fresh = count - skipped
            if case .document(let limit, _) = goal, fresh > limit - delivered { return overlong() }
            phase = .delivering(skip: skip - skipped, left: left.map { $0 - count })
            delivered += fresh
            deliveredNow += fresh
            return fresh > 0 ? .deliver(skipping: skipped) : .discard
        }
    }

    /// Takes the end of the exchange.
    mutating func end(_ end: ExchangeEnd) -> Step {
        if case .aborted(let error) = end { return .fail(error) }
        // Once the head has been judged, how its uninteresting body ended does not matter.
        if case .draining(_, let verdict) = phase { return follow(verdict) }
        if case .failed(let setback) = end { return retry(after: setback) }
        switch phase {
        case .delivering(_, let left) where left ?? 0 == 0:
            return .succeed(result)
        case .delivering(_, let left):
            let reason = "the connection closed \(ByteCount(left ?? 0)) before the end"
            return retry(after: .transient(.interrupted, reason))
        case .awaitingHead, .draining:
            return retry(after: .transient(.interrupted, "the server closed without an answer"))
        }
    }

    private mutating func follow(_ verdict: Verdict) -> Step {
        switch verdict {
        case .redirect(let target):
            visited.insert(current.url)
            current = target
            phase = .awaitingHead
            return .request(nextRequest())
        case .retry(let setback): return retry(after: setback)
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
        if case .document = goal { delivered = 0 }
        return .request(nextRequest())
    }

    private func nextRequest() -> OutgoingRequest {
        var sent =
            current.sharesOrigin(with: origin) ? headers : headers.filter { !$0.isCredential }
        var range: Range<Int>?
        switch goal {
        case .document(_, let tag):
            if let tag { sent.append(HeaderField("If-None-Match", tag)) }
        case .length: range = 0..<1
        case .bytes(let wanted, let totalSize):
            let isWhole = delivered == 0 && wanted == 0..<totalSize
            range = isWhole ? nil : wanted.lowerBound + delivered..<wanted.upperBound
            if range != nil, let strongTag { sent.append(HeaderField("If-Range", strongTag)) }
        }
        return OutgoingRequest(address: current, range: range, headers: sent)
    }

    private mutating func overlong() -> Reading {
        let error =
            switch goal {
            case .document(let limit, _): tooLarge(limit: limit)
            case .bytes, .length:
                failure(.sizeMismatch, "the server sends more bytes than there are")
            }
        phase = .draining(left: 0, then: .fail(error))
        return .stop
    }
}

// MARK: - Trying again

extension TransferMachine {
    private mutating func retry(after setback: Setback) -> Step {
        guard setback.isTransient else { return .fail(setback.error(at: current)) }
        // A server that drips a few bytes into each attempt would otherwise be tried for ever.
        let trickle = setback.code == .stalled ? policy.trickle : 0
        if deliveredNow > trickle, !isDocument { streak = FailureStreak() }
        streak.add(setback)
        guard streak.count < policy.attempts else {
            return .fail(setback.error(at: current, repetition: streak.repetition))
        }
        if let asked = setback.retryAfter, asked > policy.maximumRetryAfter {
            let reason = "\(setback.reason) and asks to come back in \(asked.inSeconds)"
            return .fail(Setback.permanent(setback.code, reason).error(at: current))
        }
        let delay = setback.retryAfter ?? backoff(failures: streak.count)
        return .wait(
            RetryNotice(
                address: current.description,
                reason: setback.reason,
                delay: delay,
                failures: streak.count,
                delivered: delivered
            )
        )
    }

    /// Exponential backoff with full jitter: anything up to the bound, so that clients spread.
    private func backoff(failures: Int) -> Duration {
        let doublings = min(failures - 1, 30)
        let bound = min(policy.backoffCap, policy.backoffBase * (1 << doublings))
        return bound * jitter()
    }

    /// A document starts anew with every attempt, so bytes of a broken one are no progress.
    private var isDocument: Bool {
        if case .document = goal { true } else { false }
    }
}

extension TransferPolicy {
    /// The bytes that a connection at exactly the floor speed brings before it counts as stalled.
    var trickle: Int {
        let seconds =
            Double(stallWindow.components.seconds)
            + Double(stallWindow.components.attoseconds) / 1e18
        return Int(Double(floorSpeed) * seconds)
    }
}
