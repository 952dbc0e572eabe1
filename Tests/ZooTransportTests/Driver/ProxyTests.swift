// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Proxies", .timeLimit(.minutes(1)))
struct ProxyTests {
    /// A transport through a proxy for every address.
    private func transport(
        _ proxy: String,
        _ notices: Notices = Notices(),
        exceptions: String? = nil
    ) -> HTTPTransport {
        HTTPTransport(
            configuration: .impatient {
                $0.proxies.all = proxy
                $0.proxies.exceptions = exceptions
                $0.onRetry = { notices.take($0) }
            }
        )
    }

    @Test(
        "that refuse a tunnel are named with their answer, and not asked again",
        arguments: [(403, ZooError.Code.proxyRefused), (407, .proxyLoginRequired)]
    )
    func refusesTunnel(status: Int, code: ZooError.Code) async throws {
        try await HostileServer.with { proxy in
            proxy.on("zoo.example:443", .status(status))
            let notices = Notices()
            let request = DocumentRequest(url: "https://zoo.example/zoo.json", limit: 100)
            let error = await #expect(throws: ZooError(code, "")) {
                _ = try await transport(proxy.url(""), notices).document(request)
            }
            #expect(
                error?.message
                    == "https://zoo.example/zoo.json: the proxy \(proxy.url("")) answered \(status)"
            )
            #expect(error?.remedy != nil)
            #expect(notices.all.isEmpty)
            #expect(proxy.requests.map(\.method) == ["CONNECT"])
        }
    }

    @Test("that cannot reach a server for now are asked again")
    func triesTunnelAgain() async throws {
        try await HostileServer.with { proxy in
            proxy.on("zoo.example:443", .status(503))
            let request = DocumentRequest(url: "https://zoo.example/zoo.json", limit: 100)
            let code = try await thrownCode {
                _ = try await transport(proxy.url("")).document(request)
            }
            #expect(code == .connectionFailed)
            #expect(proxy.requests.count == 5)
        }
    }

    @Test("that ask for a login get the user and password of their address, which no message shows")
    func login() async throws {
        let content = ServedContent(Array("{}".utf8))
        try await HostileServer.with { proxy in
            proxy.on("http://zoo.example/zoo.json", .status(407))
            let request = DocumentRequest(url: "http://zoo.example/zoo.json", limit: 100)
            let address = "http://user:secret@127.0.0.1:\(proxy.port)"
            let error = await #expect(throws: ZooError(.proxyLoginRequired, "")) {
                _ = try await transport(address).document(request)
            }
            #expect(error?.message.contains("the proxy \(proxy.url("")) answered 407") == true)
            #expect(error?.remedy?.contains("https_proxy=http://USER:PASSWORD@") == true)
            proxy.on("http://zoo.example/zoo.json", .serving(content))
            let reply = try await transport(address).document(request)
            #expect(reply == .fetched(bytes: content.bytes, entityTag: content.entityTag))
            let login = proxy.requests.last?.headers["proxy-authorization"]
            #expect(login == "Basic dXNlcjpzZWNyZXQ=")
        }
    }

    @Test("are not used for hosts that are exceptions")
    func exceptions() async throws {
        let content = ServedContent(Array("{}".utf8))
        try await HostileServer.with { server in
            server.on("/zoo.json", .serving(content))
            let direct = transport("http://127.0.0.1:1", exceptions: "zoo.example,127.0.0.1")
            let request = DocumentRequest(url: server.url("/zoo.json"), limit: 100)
            let reply = try await direct.document(request)
            #expect(reply == .fetched(bytes: content.bytes, entityTag: content.entityTag))
        }
    }

    @Test("that are not there are named")
    func unreachable() async throws {
        let gone = try await HostileServer.with { $0.url("") }
        let request = DocumentRequest(url: "http://zoo.example/zoo.json", limit: 100)
        var error = await #expect(throws: ZooError(.connectionFailed, "")) {
            _ = try await transport(gone).document(request)
        }
        #expect(error?.message.contains("connection refused by the proxy \(gone)") == true)
        error = await #expect(throws: ZooError(.hostUnknown, "")) {
            _ = try await transport("http://proxy.invalid:3128").document(request)
        }
        #expect(
            error?.message.contains(
                "the host of the proxy http://proxy.invalid:3128 does not exist"
            )
                == true
        )
    }
}
