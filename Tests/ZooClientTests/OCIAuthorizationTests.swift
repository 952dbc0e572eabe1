// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooTesting
import ZooTransport

@Suite struct OCIAuthorizationTests {
    private let credentials = RegistryCredentials(user: "somebody", secret: "correct horse")

    /// Credentials leave this machine over HTTPS alone, whatever the address pretends.
    @Test(arguments: [
        "http://registry.invalid", "http://localhost.registry.invalid",
        "http://127.0.0.1.registry.invalid",
    ])
    func credentialsAreNotSentOnAnOpenLine(base: String) async throws {
        try await HostileServer.with { server in
            let challenge = Behaviour.status(
                401,
                headers: ["WWW-Authenticate": "Basic realm=\"x\""]
            )
            for path in ["/v2/", "\(base)/v2/", "http://registry.invalid/v2/"] {
                server.on(path, challenge)
            }
            // The proxy answers for every host, so a request that is sent arrives.
            var configuration = TransportConfiguration(version: "0.0.0")
            configuration.policy = .impatient
            configuration.proxies.http = server.url("")
            let authorization = try OCIAuthorization(
                base: base,
                transport: HTTPTransport(configuration: configuration),
                credentials: credentials
            )
            await #expect(throws: ZooError(.forbidden, "")) {
                _ = try await authorization.verify()
            }
            #expect(!server.requests.isEmpty)
            for request in server.requests {
                #expect(request.headers["authorization"] == nil)
            }
        }
    }

    @Test func anAddressWithAUserNameIsRefused() async throws {
        let authorization = try OCIAuthorization(
            base: "http://localhost:80@registry.invalid",
            transport: .impatient,
            credentials: credentials
        )
        await #expect(throws: ZooError(.urlInvalid, "")) { _ = try await authorization.verify() }
    }

    @Test func requestsAtTheSameTimeAskForTheSchemeOnce() async throws {
        try await HostileServer.with { server in
            try await TemporaryFolder.with { folder in
                server.on("/v2/", .serving(ServedContent(Array("{}".utf8))))
                let target = try OCITarget(
                    base: server.url(""),
                    transport: .impatient,
                    credentials: { _ in nil },
                    spool: folder.path
                )
                let name = try ModelName(parsing: "ami/sample")
                let blob = Descriptor(
                    mediaType: "text/plain",
                    digest: ContentDigest(of: []),
                    size: 0
                )
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<8 {
                        group.addTask { try await target.holds(blob, of: name) }
                    }
                    for try await isHeld in group { #expect(!isHeld) }
                }
                #expect(server.requests(for: "/v2/").count == 1)
                #expect(server.requests.count == 9)
            }
        }
    }

    /// Requests that wait for the same answer do not fail because one of them was cancelled.
    @Test func aCancelledRequestLeavesTheOthersTheirAnswer() async throws {
        try await HostileServer.with { server in
            server.on(
                "/v2/",
                .serving(ServedContent(Array("{}".utf8)))
                    .stalling(after: 0, for: .milliseconds(500))
            )
            let authorization = try OCIAuthorization(
                base: server.url(""),
                transport: .impatient,
                credentials: credentials
            )
            let cancelled = Task { try await authorization.verify() }
            let other = Task { try await authorization.verify() }
            try await Task.sleep(for: .milliseconds(200))
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            let hasCredentials = try await other.value
            #expect(!hasCredentials)
            #expect(server.requests(for: "/v2/").count == 1)
        }
    }

    /// The question ends with the last request that waits for it, and a later request asks again.
    @Test func aQuestionThatNobodyWaitsForIsAskedAgain() async throws {
        try await HostileServer.with { server in
            let answer = Behaviour.serving(ServedContent(Array("{}".utf8)))
            server.on("/v2/", answer.stalling(after: 0, for: .milliseconds(900)), answer)
            let authorization = try OCIAuthorization(
                base: server.url(""),
                transport: .impatient,
                credentials: credentials
            )
            let waiting = (0..<2).map { _ in Task { try await authorization.verify() } }
            try await Task.sleep(for: .milliseconds(200))
            for task in waiting { task.cancel() }
            for task in waiting {
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            let hasCredentials = try await authorization.verify()
            #expect(!hasCredentials)
            #expect(server.requests(for: "/v2/").count == 2)
        }
    }

    /// `somebody:correct horse` in base64.
    private let encoded = "c29tZWJvZHk6Y29ycmVjdCBob3JzZQ=="

    @Test func aTokenEndpointOnAnOpenLineGetsNoCredentials() async throws {
        try await HostileServer.with { server in
            let realm = "http://token.invalid/token"
            server.on(
                "/v2/",
                .status(401, headers: ["WWW-Authenticate": "Bearer realm=\"\(realm)\",service=x"])
            )
            let authorization = try OCIAuthorization(
                base: server.url(""),
                transport: .impatient,
                credentials: credentials
            )
            await #expect(throws: ZooError(.forbidden, "")) {
                _ = try await authorization.verify()
            }
        }
    }

    /// The token goes where the challenge says, with the user's name and password; a registry that does
    /// not name the service is asked without one.
    @Test func aTokenIsFetched() async throws {
        try await HostileServer.with { server in
            let realm = server.url("/token")
            server.on(
                "/v2/",
                .status(401, headers: ["WWW-Authenticate": "Bearer realm=\"\(realm)\""])
            )
            server.on("/token", .serving(ServedContent(Array(#"{"access_token":"t"}"#.utf8))))
            let authorization = try OCIAuthorization(
                base: server.url(""),
                transport: .impatient,
                credentials: credentials
            )
            #expect(try await authorization.verify())
            let request = try #require(server.requests.last)
            #expect(request.path == "/token")
            #expect(request.headers["authorization"] == "Basic \(encoded)")
        }
    }

    @Test func storedCredentialsAreReadByTheirOwnerAlone() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "config/credentials.json")
            let store = CredentialStore(path: path)
            #expect(try store.credentials(of: "a.example") == nil)
            try store.store(credentials, of: "a.example")
            try store.store(RegistryCredentials(user: "x", secret: "y"), of: "b.example:5000")
            let status = try #require(try FileSystem.status(path))
            #expect(status.permissions & 0o777 == 0o600)
            #expect(try store.credentials(of: "a.example") == credentials)
            #expect(try store.credentials(of: "b.example") == nil)
            let removed = try store.store(nil, of: "a.example")
            #expect(removed)
            #expect(try store.credentials(of: "a.example") == nil)
            #expect(try store.credentials(of: "b.example:5000")?.secret == "y")
            #expect(!"\(credentials)".contains("horse"))
        }
    }

    @Test func loginsOfDockerAreUsed() async throws {
        try await TemporaryFolder.with { folder in
            // printf 'somebody:correct horse' | base64
            let text = """
                {"auths": {"a.example": {"auth": "c29tZWJvZHk6Y29ycmVjdCBob3JzZQ=="},
                 "b.example": {}, "https://c.example/v1/": {"auth": "c29tZWJvZHk6"}},
                 "credsStore": "desktop"}
                """
            try folder.write(Array(text.utf8), to: "config.json")
            let file = ContainerCredentials(path: folder.path(of: "config.json"))
            #expect(try file.credentials(of: "a.example") == credentials)
            #expect(try file.credentials(of: "b.example") == nil)
            #expect(try file.credentials(of: "c.example")?.secret == "")
            #expect(try file.credentials(of: "d.example") == nil)
        }
    }
}
