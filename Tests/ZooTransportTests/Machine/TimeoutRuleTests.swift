// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: the timeout of a whole transfer")
struct TimeoutRuleTests {
    private static let stall = ExchangeEnd.failed(.transient(.stalled, "no data for 30.0 s"))

    private func machine(_ timeout: Duration) throws -> TransferMachine {
        try TransferMachine.bytes(0..<100, of: 100, policy: TransferPolicy(timeout: timeout))
    }

    @Test(
        "fits the limits of one attempt into it",
        arguments: [
            (1, 1, 1, 5), (20, 15, 20, 5), (60, 15, 30, 5), (300, 15, 30, 5), (600, 30, 60, 10),
            (3000, 150, 300, 50),
        ]
    )
    func policies(timeout: Int, connect: Int, stall: Int, attempts: Int) {
        let policy = TransferPolicy(timeout: .seconds(timeout))
        #expect(policy.timeout == .seconds(timeout))
        #expect(policy.connectTimeout == .seconds(connect))
        #expect(policy.stallWindow == .seconds(stall))
        #expect(policy.attempts == attempts)
    }

    @Test("is the default of 300 seconds unless another is given")
    func defaults() {
        let (one, other) = (TransferPolicy(), TransferPolicy(timeout: .seconds(300)))
        #expect(one.timeout == other.timeout)
        #expect(one.connectTimeout == other.connectTimeout)
        #expect(one.stallWindow == other.stallWindow)
        #expect(one.attempts == other.attempts)
    }

    @Test("adds up the silence of all attempts and the waits between them")
    func addsUp() throws {
        var machine = try machine(.seconds(70))
        #expect(machine.start().request?.patience == .seconds(70))
        #expect(machine.end(Self.stall, quiet: .seconds(30)).notice?.delay == .seconds(1))
        #expect(machine.waited().request?.patience == .seconds(39))
        #expect(machine.end(Self.stall, quiet: .seconds(30)).notice?.delay == .seconds(2))
        #expect(machine.waited().request?.patience == .seconds(7))
        let error = try #require(machine.end(Self.stall, quiet: .seconds(7)).error)
        #expect(error.code == .stalled)
        #expect(error.message.hasSuffix("no data for 30.0 s three times"))
    }

    @Test("counts slow redirects, and leaves the last of them a moment")
    func redirects() throws {
        var machine = try machine(.seconds(40))
        _ = machine.start()
        _ = machine.receive(.answer(307, ["location": "/moved"]))
        #expect(machine.end(.complete, quiet: .seconds(25)).request?.patience == .seconds(15))
        _ = machine.receive(.answer(307, ["location": "/again"]))
        #expect(machine.end(.complete, quiet: .seconds(16)).request?.patience == .milliseconds(1))
        #expect(machine.end(Self.stall, quiet: .milliseconds(1)).error?.code == .stalled)
    }

    @Test("starts again with every attempt that delivers")
    func progress() throws {
        var machine = try machine(.seconds(40))
        _ = machine.start()
        _ = machine.end(.reset, quiet: .seconds(35))
        _ = machine.waited()
        let step = machine.exchange(.answer(200), bytes: 50, ending: .reset)
        #expect(step.notice?.failures == 1)
        #expect(machine.waited().request?.patience == .seconds(39))
    }

    @Test("gives up a stalled server of the default policy after at most 165 seconds")
    func stalledServer() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        var total = Duration.zero
        for _ in 1...4 {
            total += .seconds(30)
            total += try #require(machine.end(Self.stall, quiet: .seconds(30)).notice).delay
            _ = machine.waited()
        }
        total += .seconds(30)
        #expect(machine.end(Self.stall, quiet: .seconds(30)).error?.code == .stalled)
        #expect(total == .seconds(165))
    }

    @Test("ends a transfer at once when the server asks for longer waits in all")
    func retryAfter() throws {
        var machine = try machine(.seconds(300))
        _ = machine.start()
        let head = ResponseHead.answer(503, ["retry-after": "200"])
        #expect(machine.exchange(head).notice?.delay == .seconds(200))
        _ = machine.waited()
        let error = machine.exchange(head).error
        #expect(error?.code == .serverUnavailable)
        #expect(error?.message.hasSuffix("asks for a retry in 200.0 s") == true)
    }
}

@Suite("Speed limit")
struct RateBudgetTests {
    @Test("spreads bytes over time and saves nothing for later")
    func spreads() {
        let start = ContinuousClock.now
        var budget = RateBudget(rate: 1000, now: start)
        #expect(budget.spend(500, now: start) == start + .seconds(0.5))
        #expect(budget.spend(500, now: start + .seconds(0.1)) == start + .seconds(1))
        #expect(budget.spend(250, now: start + .seconds(9)) == start + .seconds(9.25))
    }

    @Test("lowers the speed that counts as stalled")
    func floor() {
        var policy = TransferPolicy()
        #expect(policy.stallBytes == 1920)
        policy.maximumRate = 160
        policy.connections = 4
        #expect(policy.stallBytes == 600)
    }
}
