// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import HTTPTypes
import Synchronization
import Testing
import ZooCore
import ZooServer
import ZooStore
import ZooTesting

/// What credentials allow, what refusals say, and how long sessions last.
@Suite("Access by token")
struct TokenPolicyTests: PolicyTests {
    // MARK: Credentials

    @Test("Bearer and Basic allow what the token allows, and no more")
    func credentials() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            for credentials in [
                RequestCredentials.bearer(secret), .basic(user: "anyone", password: secret),
                .basic(user: "", password: secret),
            ] {
                let access = try await registry.access(credentials)
                #expect(access.subject == "ci")
                #expect(!access.isSession)
                #expect(access.allows(.read, in: "ami"))
                #expect(access.allows(.publish, in: "ami"))
                #expect(!access.allows(.admin, in: "ami"))
                #expect(!access.allows(.read, in: "lab"))
                #expect(!access.allows(.read, in: Access.everywhere))
            }
            let anonymous = try await registry.access(nil)
            #expect(anonymous.subject == nil)
            for action in RegistryAction.allCases { #expect(!anonymous.allows(action, in: "ami")) }
        }
    }

    @Test("The switch for anonymous readers gives everybody read and nobody more")
    func anonymousRead() async throws {
        try await Self.withPolicy({ $0.anonymousRead = true }) { registry in
            let secret = try registry.create("ci", "ami:publish")
            let session = try await registry.session(nil, "repository:ami/x:pull,push")
            for credentials in [nil, RequestCredentials.bearer(secret), .bearer(session)] {
                let access = try await registry.access(credentials)
                #expect(access.allows(.read, in: "ami"))
                #expect(!access.allows(.publish, in: "lab"))
            }
            #expect(!(try await registry.access(.bearer(session))).allows(.publish, in: "ami"))
            #expect(!(try await registry.access(.bearer(session))).allows(.read, in: "lab"))
            #expect(try await registry.access(nil).allows(.read, in: "lab"))
        }
    }

    @Test("Unknown, expired, revoked and malformed tokens get the same refusal")
    func refusals() async throws {
        try await Self.withPolicy { registry in
            let old = try registry.create("old", "*:admin", expires: registry.now + 10)
            let gone = try registry.create("gone", "*:admin")
            let oldSession = try await registry.session(old)
            let goneSession = try await registry.session(gone)
            registry.advance(11)
            try registry.accounts.revoke("gone", by: "user:test", at: registry.now)
            var texts: Set<String> = []
            for secret in [
                old, gone, oldSession, goneSession, "amz_" + String(repeating: "1", count: 64),
                "amzs_" + String(repeating: "1", count: 200), "amzs_", "x",
                String(repeating: "amzs_", count: 200_000), "amzs_é",
            ] {
                let refusal = try await Self.refusal {
                    try await registry.access(.bearer(secret), "2001:db8::\(texts.count)")
                }
                #expect(refusal.status == .unauthorized)
                #expect(refusal.error.code == .unauthorized)
                texts.insert("\(refusal.error) \(refusal.retryAfter ?? 0)")
            }
            #expect(texts.count == 1)
        }
    }

    // MARK: Sessions

    @Test("The token endpoint grants the part of a wanted scope that the token allows")
    func grants() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish", "lab:read")
            let credentials = RequestCredentials.basic(user: "x", password: secret)
            let answer = try await registry.answer(
                credentials,
                "repository:ami/ball-drop:pull repository:lab/x:pull,push",
                "registry:catalog:*"
            )
            #expect(try answer.string("token") == (try answer.string("access_token")))
            #expect(answer.value("expires_in") == .integer(300))
            #expect(try answer.string("issued_at") == "1970-01-12T13:46:40Z")
            let access = try await registry.access(.bearer(try answer.string("token")))
            #expect(access.subject == "ci")
            #expect(access.isSession)
            #expect(access.allows(.read, in: "ami"))
            #expect(!access.allows(.publish, in: "ami"))
            #expect(access.allows(.read, in: "lab"))
            #expect(!access.allows(.publish, in: "lab"))
            // Without a scope, as at a login: all rights.
            let all = try await registry.access(.bearer(try await registry.session(secret)))
            #expect(all.allows(.publish, in: "ami"))
            #expect(!all.allows(.publish, in: "lab"))
        }
    }

    @Test(
        "Scopes that are not understood give nothing",
        arguments: [
            "", " ", ":", "::", "repository", "repository:ami/x", "repository::pull",
            "repository:/ami/x:pull", "repository:ami/x:", "repository:ami/x:look",
            "repository:*/x:pull", "repository:*:pull", "repository:..:pull",
            "repository:ami|0|all/x:pull", "repository:ami,*:admin/x:pull",
            "repository(plugin):ami/x:pull", "registry:catalog:*",
        ]
    )
    func strangeScopes(scope: String) async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("root", "ami:admin")
            let session = try await registry.session(secret, "repository:q/x:pull \(scope)")
            let access = try await registry.access(.bearer(session))
            for namespace in ["ami", "lab", "*", ""] {
                #expect(!access.allows(.read, in: namespace))
            }
        }
    }

    @Test("A request with thousands of scopes makes a token that fits a header")
    func manyScopes() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("root", "*:admin")
            let scopes = (0..<5000).map {
                "repository:\(String(repeating: "a", count: 60))\($0)/x:*"
            }
            let session = try await registry.session(secret, scopes.joined(separator: " "))
            #expect(session.utf8.count < 4000)
            _ = try await registry.access(.bearer(session))
        }
    }

    @Test("A session ends after five minutes, with its token, and when its token is revoked")
    func sessionLifetime() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish", expires: registry.now + 400)
            let first = try await registry.session(secret)
            registry.advance(299)
            _ = try await registry.access(.bearer(first))
            registry.advance(1)
            _ = try await Self.refusal { try await registry.access(.bearer(first)) }
            let answer = try await registry.answer(.bearer(secret))
            #expect(answer.value("expires_in") == .integer(100))
            let second = try answer.string("token")
            registry.advance(99)
            _ = try await registry.access(.bearer(second))
            registry.advance(1)
            _ = try await Self.refusal { try await registry.access(.bearer(second)) }
            let third = try await registry.session(try registry.create("b", "ami:read"))
            _ = try await registry.access(.bearer(third))
            // As the command does in another process.
            try registry.accounts.revoke("b", by: "user:test", at: registry.now)
            _ = try await Self.refusal { try await registry.access(.bearer(third)) }
        }
    }

    @Test("A clock that is set back does not lengthen the life of a session")
    func clockGoesBack() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            let session = try await registry.session(secret)
            registry.setClock(by: -30)
            _ = try await registry.access(.bearer(session))
            registry.setClock(by: -3600)
            _ = try await Self.refusal { try await registry.access(.bearer(session)) }
            // The token itself has no date that says otherwise.
            _ = try await registry.access(.bearer(secret))
        }
    }

    @Test("A session is not renewed, not a password, and not valid elsewhere")
    func sessionUse() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:publish")
            let session = try await registry.session(secret)
            for credentials in [
                RequestCredentials.bearer(session), .basic(user: "x", password: session),
            ] {
                let refusal = try await Self.refusal { try await registry.answer(credentials) }
                #expect(refusal.status == .unauthorized)
            }
            _ = try await Self.refusal {
                try await registry.access(.basic(user: "x", password: session))
            }
            _ = try await Self.refusal { try await registry.answer(nil) }
            try await Self.withPolicy { other in
                // The same number of the token, another server.
                _ = try other.create("ci", "*:admin")
                _ = try await Self.refusal { try await other.access(.bearer(session)) }
            }
        }
    }

    @Test("No changed session is accepted")
    func forgery() async throws {
        try await Self.withPolicy { registry in
            let secret = try registry.create("ci", "ami:read")
            let session = try await registry.session(secret, "repository:ami/x:pull")
            #expect(session.wholeMatch(of: /amzs_[0-9a-f]+/) != nil)
            var number = 0
            func isRefused(_ text: String) async throws {
                number += 1
                let refusal = try await Self.refusal {
                    try await registry.access(
                        .bearer(text),
                        "2001:db8:\(number % 900):\(number)::1"
                    )
                }
                #expect(refusal.status == .unauthorized)
            }
            for index in session.indices.dropFirst(5) {
                var changed = session
                changed.replaceSubrange(index...index, with: session[index] == "0" ? "1" : "0")
                try await isRefused(changed)
            }
            for text in [
                session + "0", session + "00", String(session.dropLast()),
                String(session.dropLast(2)), "amzs_" + session, "amzs_" + session.dropFirst(7),
                "amzs_" + String(session.suffix(64)), session.uppercased(),
            ] { try await isRefused(text) }
            _ = try await registry.access(.bearer(session))
        }
    }

    @Test("A mounted registry grants only what is below its prefix")
    func prefix() async throws {
        try await Self.withPolicy({ $0.prefix = "partner" }) { registry in
            let secret = try registry.create("ci", "ami:publish")
            let inside = try await registry.session(secret, "repository:partner/ami/x:pull,push")
            #expect(try await registry.access(.bearer(inside)).allows(.publish, in: "ami"))
            for scope in ["ami/x", "other/ami/x", "partner", "partners/ami/x"] {
                let outside = try await registry.session(secret, "repository:\(scope):pull")
                #expect(!(try await registry.access(.bearer(outside))).allows(.read, in: "ami"))
            }
        }
    }

    // MARK: Challenges

    @Test("Challenges name the token endpoint, and quote nothing that could end a header")
    func challenges() async throws {
        try await Self.withPolicy { registry in
            let plain = registry.policy.challenge(
                scope: "repository:ami/x:pull,push",
                origin: "https://zoo.example:8443"
            )
            let bearer = """
                Bearer realm="https://zoo.example:8443/token",service="zoo.example:8443",\
                scope="repository:ami/x:pull,push"
                """
            #expect(plain == bearer)
            let text = try #require(
                registry.policy.challenge(
                    scope: "a\"\r\nX: y" + String(repeating: "z", count: 100_000),
                    origin: "http://h\",x=\"\r\n\u{0}é"
                )
            )
            #expect(text.utf8.allSatisfy { (0x20...0x7e).contains($0) })
            #expect(text.count(where: { $0 == "\"" }).isMultiple(of: 2))
            #expect(text.utf8.count < 2000)
        }
    }
}
