// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import HTTPTypes
import Synchronization
import Testing
import ZooCore
import ZooServer
import ZooStore
import ZooTesting

/// How much holders of tokens, guessers and anonymous senders may do, and what is recorded of it.
@Suite("Limits of access")
struct TokenLimitTests: PolicyTests {
    @Test("Guessing is slowed down, and keeps no valid token of the same address out")
    func guessing() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:read")
            var statuses: [Int] = []
            for number in 0..<30 {
                let guess = "amz_" + String(repeating: "\(number % 10)", count: 64)
                let refusal = try await Self.refusal { try await registry.access(.bearer(guess)) }
                statuses.append(refusal.status.code)
                if refusal.status.code == 429 { #expect(refusal.retryAfter == 3) }
            }
            #expect(statuses == Array(repeating: 401, count: 20) + Array(repeating: 429, count: 10))
            _ = try await registry.access(.bearer(secret))
            registry.advance(3)
            let refusal = try await Self.refusal { try await registry.access(.bearer("x")) }
            #expect(refusal.status == .unauthorized)
            // A clock that is set ahead gives no new guesses.
            registry.setClock(by: 86_400)
            let next = try await Self.refusal { try await registry.access(.bearer("x")) }
            #expect(next.status == .tooManyRequests)
        }
    }

    @Test("Rates are limited per token, and per address without one, with a time to wait")
    func rates() async throws {
        try await Self.withPolicy({ ($0.rateLimit, $0.anonymousRead) = (5, true) }) { registry in
            let (one, two) = (
                try registry.create("a", "*:read"), try registry.create("b", "*:read")
            )
            for _ in 0..<10 { _ = try await registry.access(nil, "2001:db8::1") }
            let anonymous = try await Self.refusal {
                try await registry.access(nil, "2001:db8::2:3:4:5")
            }
            #expect(anonymous.status == .tooManyRequests)
            #expect(anonymous.error.code == .tooManyRequests)
            #expect(anonymous.retryAfter == 1)
            _ = try await registry.access(nil, "2001:db8:0:1::1")
            // A token counts wherever it comes from, alone and as a session.
            for number in 0..<9 {
                _ = try await registry.access(.bearer(one), "192.0.2.\(number)")
            }
            let session = try await registry.session(one)
            for secret in [one, session] {
                let refusal = try await Self.refusal {
                    try await registry.access(.bearer(secret), "192.0.2.99")
                }
                #expect(refusal.status == .tooManyRequests)
            }
            _ = try await registry.access(.bearer(two), "2001:db8::1")
            // Other sessions of nobody are nobody.
            registry.advance(1)
            _ = try await registry.access(.bearer(one), "2001:db8::1")
            _ = try await registry.access(nil, "2001:db8::1")
        }
    }

    @Test("An upload beyond the quota is refused until the next day")
    func quota() async throws {
        try await Self.withPolicy({ $0.quota = 100 }) { registry in
            let secret = try registry.create("ci", "ami:publish")
            let access = try await registry.access(.bearer(secret))
            try await registry.policy.admit(upload: 100, by: access)
            let refusal = try await Self.refusal {
                try await registry.policy.admit(upload: 1, by: access)
            }
            #expect(refusal.status == .tooManyRequests)
            #expect(refusal.error.code == .quotaExceeded)
            registry.advance(try #require(refusal.retryAfter))
            try await registry.policy.admit(upload: 1, by: access)
            #expect(registry.now % 86_400 == 0)
        }
    }

    @Test("Use and changes are recorded, the use at most once a minute")
    func records() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            func used() throws -> Int? { try registry.accounts.tokens().first?.lastUsed }
            /// The use is recorded while the request goes on.
            func waitForUse(at date: Int) async throws {
                for _ in 0..<1000 where try used() != date {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(try used() == date)
            }
            #expect(try used() == nil)
            let start = registry.now
            let access = try await registry.access(.bearer(secret))
            try await waitForUse(at: start)
            registry.advance(59)
            _ = try await registry.access(.bearer(secret))
            registry.advance(1)
            _ = try await registry.access(.bearer(secret))
            try await waitForUse(at: start + 60)
            try await registry.policy.record("publish", of: "ami/ball-drop:1.0.0", by: access)
            let record = AuditRecord(
                date: start + 60,
                subject: "ci",
                action: "publish",
                target: "ami/ball-drop:1.0.0"
            )
            #expect(try registry.accounts.audit(limit: 1) == [record])
        }
    }

    @Test("A program that holds the database for writing keeps nobody out")
    func busyDatabase() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TestPolicy(state: folder.path(of: "state"), TokenPolicy.Settings())
            let secret = try registry.create("ci", "ami:publish")
            let script = """
                import sqlite3, sys, time
                c = sqlite3.connect(sys.argv[1], isolation_level=None)
                c.execute('BEGIN IMMEDIATE'); open(sys.argv[2], 'w').close(); time.sleep(100)
                """
            let writer = try ChildProcess(
                "python3",
                ["-c", script, folder.path(of: "state/accounts.sqlite"), folder.path(of: "ready")]
            )
            while (try? folder.read("ready")) == nil {
                try #require(writer.isRunning)
                try await Task.sleep(for: .milliseconds(10))
            }
            let start = ContinuousClock.now
            #expect(try await registry.access(.bearer(secret)).allows(.publish, in: "ami"))
            _ = try await registry.session(secret)
            // SQLite waits 30 s for another writer.
            #expect(start.duration(to: .now) < .seconds(15))
            await writer.kill()
        }
    }
}
