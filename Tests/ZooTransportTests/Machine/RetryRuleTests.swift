// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: trying again")
struct RetryRuleTests {
    @Test("tries again after these statuses", arguments: [408, 425, 429, 500, 502, 503, 504, 599])
    func transient(status: Int) throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(machine.exchange(.answer(status)).notice?.reason == "the server answered \(status)")
        #expect(machine.waited().request != nil)
    }

    @Test(
        "does not try again after these statuses",
        arguments: [
            (400, ZooError.Code.statusUnexpected), (401, .loginRequired), (403, .forbidden),
            (404, .resourceNotFound), (410, .resourceNotFound), (204, .statusUnexpected),
            (300, .statusUnexpected), (304, .statusUnexpected), (405, .statusUnexpected),
            (416, .rangeInvalid), (0, .statusUnexpected), (700, .statusUnexpected),
        ]
    )
    func permanent(status: Int, code: ZooError.Code) throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        let error = try #require(machine.exchange(.answer(status)).error)
        #expect(error.code == code)
        #expect(error.message == "https://zoo.example/blob: the server answered \(status)")
    }

    @Test("does not try again after a failure that would repeat")
    func permanentFailure() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        let failure = TransferFailure.permanent(.tlsFailed, "certificate has expired")
        #expect(machine.end(.failed(failure)).error?.code == .tlsFailed)
    }

    @Test("hands on the challenge of a 401")
    func challenge() throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        let head = ResponseHead.answer(401, ["www-authenticate": "Bearer realm=\"r\""])
        let cause = machine.exchange(head).error?.cause as? AuthenticationChallenge
        #expect(cause?.value == "Bearer realm=\"r\"")
    }

    @Test("gives up after five attempts in a row without a byte, and says how often it tried")
    func givesUp() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        for attempt in 1...4 {
            #expect(machine.exchange(.answer(503)).notice?.failures == attempt)
            _ = machine.waited()
        }
        let error = try #require(machine.exchange(.answer(503)).error)
        #expect(error.code == .serverUnavailable)
        #expect(error.message == "https://zoo.example/blob: the server answered 503 five times")
        #expect(error.remedy != nil)
    }

    @Test("says how many attempts there were when they failed in different ways")
    func mixedFailures() throws {
        var policy = TransferPolicy()
        policy.attempts = 2
        var machine = try TransferMachine.bytes(0..<100, of: 100, policy: policy)
        _ = machine.start()
        _ = machine.exchange(.answer(503))
        _ = machine.waited()
        let unknown = TransferFailure.transient(.hostUnknown, "no such host")
        let error = try #require(machine.end(.failed(unknown)).error)
        #expect(error.message == "zoo.example: no such host (after 2 attempts)")
    }

    @Test("counts anew when bytes have come")
    func progressResets() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        for _ in 1...4 {
            _ = machine.end(.reset)
            _ = machine.waited()
        }
        #expect(machine.exchange(.answer(200), bytes: 1, ending: .reset).notice?.failures == 1)
    }

    @Test("does not take the drip of a stalling connection for progress")
    func dripIsNoProgress() throws {
        var machine = try TransferMachine.bytes(0..<10_000, of: 10_000)
        _ = machine.start()
        let stall = ExchangeEnd.failed(.transient(.stalled, "no data for 30.0 s"))
        #expect(machine.exchange(.answer(200), bytes: 1, ending: stall).notice?.failures == 1)
        _ = machine.waited()
        let next = ResponseHead.part(1..<10_000, of: 10_000)
        #expect(machine.exchange(next, bytes: 1, ending: stall).notice?.failures == 2)
        _ = machine.waited()
        // 64 bytes per second for 30 seconds are 1920 bytes: more than that is progress.
        let last = ResponseHead.part(2..<10_000, of: 10_000)
        #expect(machine.exchange(last, bytes: 1921, ending: stall).notice?.failures == 1)
    }

    @Test("does not take the bytes of a broken document for progress")
    func documentProgress() throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        let head = ResponseHead.answer(200, ["content-length": "10"])
        #expect(machine.exchange(head, bytes: 5).notice?.failures == 1)
        _ = machine.waited()
        #expect(machine.exchange(head, bytes: 5).notice?.failures == 2)
    }

    @Test("waits twice as long each time, up to the cap, times the jitter")
    func backoff() throws {
        var policy = TransferPolicy()
        policy.attempts = 100
        policy.backoffCap = .seconds(5)
        var machine = TransferMachine(
            goal: .bytes(0..<1, totalSize: 1),
            from: try WebAddress(parsing: "http://zoo.example/"),
            headers: [],
            policy: policy,
            jitter: { 0.5 }
        )
        _ = machine.start()
        var delays: [Duration] = []
        for _ in 1...70 {
            delays.append(try #require(machine.end(.reset).notice).delay)
            _ = machine.waited()
        }
        #expect(
            delays.prefix(5) == [
                .seconds(0.5), .seconds(1), .seconds(2), .seconds(2.5), .seconds(2.5),
            ]
        )
        #expect(delays.last == .seconds(2.5))
    }

    @Test("waits as long as the server asks")
    func retryAfter() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(machine.exchange(.answer(429, ["retry-after": "7"])).notice?.delay == .seconds(7))
    }

    @Test("gives up when the server asks for a longer wait than allowed")
    func longRetryAfter() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        let error = machine.exchange(.answer(503, ["retry-after": "301"])).error
        #expect(error?.code == .serverUnavailable)
        #expect(error?.message.hasSuffix("asks for a retry in 301.0 s") == true)
    }

    @Test("ends with the caller's own error when the caller ends it")
    func aborted() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        guard case .fail(let error) = machine.end(.aborted(CancellationError())) else {
            Issue.record("the transfer goes on")
            return
        }
        #expect(error is CancellationError)
    }

    @Test("reads the body of an error to its end when it is short, and no further when not")
    func drains() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(machine.receive(.answer(503)) == .discard)
        #expect(machine.receive(count: 60 << 10) == .discard)
        #expect(machine.receive(count: 5 << 10) == .stop)
        #expect(machine.end(.complete).notice != nil)
    }

    @Test("keeps the verdict of a head when the body after it breaks")
    func brokenErrorBody() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(
            machine.exchange(.answer(404), bytes: 1, ending: .reset).error?.code
                == .resourceNotFound
        )
    }

    @Test("describes a wait as the command line shows it")
    func describes() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        let notice = machine.end(.reset).notice
        #expect(notice?.description == "retrying in 1.0 s: connection reset by peer")
    }
}
