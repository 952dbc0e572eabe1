// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooStore
import ZooTesting

/// Tokens: creation, expiry, revocation, scopes, malformed secrets, quotas.
@Suite("Accounts")
struct AccountTests {
    private static func withAccounts(
        _ body: (AccountDatabase, _ state: String) throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            try body(try AccountDatabase(state: state), state)
        }
    }

    private static func new(
        _ name: String,
        _ scopes: String...,
        expires: Int? = nil
    ) throws -> NewToken {
        try NewToken(
            name,
            try scopes.map(TokenScope.init(parsing:)),
            expires: expires,
            creator: "user:test"
        )
    }

    @Test("A token works until it expires or is revoked, and the log keeps who did what")
    func lifetime() async throws {
        try await Self.withAccounts { accounts, _ in
            let (secret, token) = try accounts.createToken(
                try Self.new("ci", "ami:publish", expires: 1000),
                at: 1
            )
            #expect(secret.wholeMatch(of: /amz_[0-9a-f]{64}/) != nil)
            #expect(try accounts.token(for: secret, at: 999) == token)
            #expect(try accounts.token(id: token.id, at: 999) == token)
            #expect(try accounts.token(for: secret, at: 1000) == nil)
            #expect(try accounts.token(id: token.id, at: 1000) == nil)
            #expect(throws: ZooError(.tokenNameTaken, "")) {
                try accounts.createToken(try Self.new("ci", "ami:read"), at: 5)
            }
            try accounts.revoke("ci", by: "user:other", at: 20)
            #expect(try accounts.token(for: secret, at: 20) == nil)
            #expect(try accounts.token(id: token.id, at: 20) == nil)
            #expect(try accounts.tokens().isEmpty)
            #expect(throws: ZooError(.tokenUnknown, "")) {
                try accounts.revoke("ci", by: "user:other", at: 21)
            }
            // The name is free again, and the old secret stays refused.
            let again = try accounts.createToken(try Self.new("ci", "*:admin"), at: 30)
            #expect(again.token.id != token.id)
            #expect(try accounts.token(for: secret, at: 31) == nil)
            let log = try accounts.audit(limit: 9)
            #expect(log.map(\.action) == ["token-create", "token-revoke", "token-create"])
            #expect(log.map(\.subject) == ["user:test", "user:other", "user:test"])
            #expect(log.map(\.date) == [30, 20, 1])
            #expect(try accounts.audit(limit: 1).count == 1)
        }
    }

    @Test("A clock that goes back leaves the last use as it is, and revives nothing revoked")
    func clockGoesBack() async throws {
        try await Self.withAccounts { accounts, _ in
            let (secret, token) = try accounts.createToken(try Self.new("a", "*:read"), at: 5000)
            try accounts.recordUse(of: token.id, at: 6000)
            try accounts.recordUse(of: token.id, at: 10)
            #expect(try accounts.token(for: secret, at: 10)?.lastUsed == 6000)
            try accounts.revoke("a", by: "user:test", at: 7000)
            #expect(try accounts.token(for: secret, at: 10) == nil)
        }
    }

    @Test("Scopes: levels include lower ones, namespaces are exact, '*' is all")
    func scopes() async throws {
        try await Self.withAccounts { accounts, _ in
            let secret = try accounts.createToken(
                try Self.new("a", "ami:read", "ami:publish", "*:read"),
                at: 1
            ).secret
            let token = try #require(try accounts.token(for: secret, at: 2))
            #expect(token.scopes.map(\.text) == ["*:read", "ami:publish"])
            #expect(token.allows(.publish, in: "ami"))
            #expect(!token.allows(.admin, in: "ami"))
            #expect(token.allows(.read, in: "lab"))
            #expect(!token.allows(.publish, in: "lab"))
            #expect(!token.allows(.publish, in: "amis"))
            #expect(!token.allows(.publish, in: ""))
            #expect(!token.allows(.publish, in: "*"))
        }
    }

    @Test(
        "Malformed scopes are refused",
        arguments: [
            "", ":", "ami", "ami:", ":read", "ami:write", "ami:READ", "a b:read", "ami:read:x",
            "../x:read", "ami/x:read", "**:read", "ami:read\n", "é:read", "*:read,lab:admin",
            String(repeating: "a", count: 100_000) + ":read",
        ]
    )
    func malformedScopes(text: String) {
        #expect(throws: ZooError(.tokenInvalid, "")) { try TokenScope(parsing: text) }
    }

    @Test(
        "Names that a shell, a log or a command line would take for something else are refused",
        arguments: [
            "", "-x", "--all", ".x", "a b", "a:b", "a/b", "a\nb", "é", "a'b", "a\0",
            String(repeating: "a", count: 101),
        ]
    )
    func malformedNames(name: String) {
        #expect(throws: ZooError(.tokenInvalid, "")) { try Self.new(name, "*:read") }
    }

    @Test("A token without scopes is refused")
    func noScopes() {
        #expect(throws: ZooError(.tokenInvalid, "")) { try Self.new("a") }
    }

    @Test("No malformed, foreign or changed secret is accepted")
    func malformedSecrets() async throws {
        try await Self.withAccounts { accounts, _ in
            let secret = try accounts.createToken(try Self.new("a", "*:admin"), at: 1).secret
            var wrong = [
                "", "amz_", "amz_" + String(repeating: "0", count: 64), secret + "0",
                String(secret.dropLast()), secret.uppercased(), " " + secret, secret + "\0",
                String(secret.dropFirst(4)), "amz_é" + secret.dropFirst(6), "' OR 1=1 --",
                "amz_' OR 1=1 --" + String(repeating: "0", count: 53),
                String(repeating: "a", count: 1_000_000),
                // What is stored is not a way in.
                ContentDigest(of: secret.utf8).hex, "amz_" + ContentDigest(of: secret.utf8).hex,
            ]
            for index in secret.indices.dropFirst(4) {
                var changed = secret
                changed.replaceSubrange(index...index, with: secret[index] == "0" ? "1" : "0")
                wrong.append(changed)
            }
            for text in wrong { #expect(try accounts.token(for: text, at: 2) == nil) }
            #expect(try accounts.token(for: secret, at: 2) != nil)
        }
    }

    @Test("Secrets differ in every digit")
    func randomness() async throws {
        try await Self.withAccounts { accounts, _ in
            let secrets = try (0..<40).map { number in
                try accounts.createToken(try Self.new("t\(number)", "*:read"), at: 1).secret
            }
            #expect(Set(secrets).count == 40)
            for position in 4..<68 {
                let digits = Set(secrets.map { Array($0.utf8)[position] })
                #expect(digits.count > 1, "digit \(position)")
            }
        }
    }

    @Test("An upload beyond the quota of the day is refused and not counted")
    func quota() async throws {
        try await Self.withAccounts { accounts, _ in
            let noon = 20_000 * 86_400 + 43_200
            func charge(_ bytes: Int, _ subject: String = "ci", at date: Int) throws {
                try accounts.charge(bytes, to: subject, quota: 100, at: date)
            }
            try charge(60, at: noon)
            #expect(throws: ZooError(.quotaExceeded, "")) { try charge(41, at: noon) }
            #expect(throws: ZooError(.quotaExceeded, "")) { try charge(.max, at: noon) }
            #expect(throws: ZooError(.quotaExceeded, "")) { try charge(101, "other", at: noon) }
            try charge(-1000, at: noon)
            try charge(40, at: noon)
            #expect(throws: ZooError(.quotaExceeded, "")) { try charge(1, at: noon) }
            try charge(100, "other", at: noon)
            try charge(100, at: noon + 43_200)
            // The clock goes back to the day before, whose uploads are still counted.
            #expect(throws: ZooError(.quotaExceeded, "")) { try charge(1, at: noon) }
        }
    }
}
