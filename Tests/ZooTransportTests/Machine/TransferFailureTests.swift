// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Failures of libcurl")
struct TransferFailureTests {
    private func failure(_ report: CurlReport, proxy: String? = nil) -> TransferFailure {
        TransferFailure(report, proxy: proxy, connectTimeout: .seconds(15))
    }

    @Test(
        "are retried exactly when the network may recover",
        arguments: [
            ("CURLE_COULDNT_RESOLVE_HOST", 6 as UInt32, ZooError.Code.hostUnknown, true),
            ("CURLE_COULDNT_RESOLVE_PROXY", 5, .hostUnknown, true),
            ("CURLE_COULDNT_CONNECT", 7, .connectionFailed, true),
            ("CURLE_OPERATION_TIMEDOUT", 28, .connectionFailed, true),
            ("CURLE_PROXY", 97, .connectionFailed, true),
            ("CURLE_PARTIAL_FILE", 18, .interrupted, true),
            ("CURLE_GOT_NOTHING", 52, .interrupted, true),
            ("CURLE_RECV_ERROR", 56, .interrupted, true),
            ("CURLE_SEND_ERROR", 55, .interrupted, true),
            ("CURLE_HTTP2_STREAM", 92, .interrupted, true),
            ("CURLE_PEER_FAILED_VERIFICATION", 60, .tlsFailed, false),
            ("CURLE_SSL_CONNECT_ERROR", 35, .tlsFailed, false),
            ("CURLE_SSL_CACERT_BADFILE", 77, .tlsFailed, false),
            ("CURLE_WEIRD_SERVER_REPLY", 8, .replyMalformed, false),
            ("CURLE_OUT_OF_MEMORY", 27, .libraryFailed, false),
        ]
    )
    func classes(name: String, result: UInt32, code: ZooError.Code, isTransient: Bool) {
        let failure = failure(CurlReport(result: result))
        #expect(failure.code == code)
        #expect(failure.isTransient == isTransient)
        #expect(!failure.reason.isEmpty)
    }

    @Test("prefer the words of the operating system, then those of libcurl")
    func words() {
        let refused = failure(CurlReport(result: 7, systemError: 111, text: "x"))
        #expect(refused.reason == "connection refused")
        let expired = failure(CurlReport(result: 60, text: "certificate has expired"))
        #expect(expired.reason == "certificate has expired")
    }

    @Test(
        "name the proxy that answered CONNECT, and what it answered",
        arguments: [
            (403, ZooError.Code.proxyRefused, false), (407, .proxyLoginRequired, false),
            (404, .proxyRefused, false), (302, .proxyRefused, false),
            (502, .connectionFailed, true), (503, .connectionFailed, true),
        ]
    )
    func connectStatus(status: Int, code: ZooError.Code, isTransient: Bool) {
        let report = CurlReport(result: 56, text: "CONNECT tunnel failed", connectStatus: status)
        let failure = failure(report, proxy: "http://proxy.example:3128")
        #expect(failure.code == code)
        #expect(failure.isTransient == isTransient)
        #expect(failure.reason == "the proxy http://proxy.example:3128 answered \(status)")
    }

    @Test("tell a failure behind a tunnel from a refusal of the tunnel")
    func behindTunnel() {
        let report = CurlReport(result: 56, systemError: 104, connectStatus: 200)
        #expect(failure(report, proxy: "http://proxy.example:3128").code == .interrupted)
    }

    @Test("name the proxy when it is the host that cannot be reached")
    func unreachableProxy() {
        let report = CurlReport(
            result: 7,
            systemError: 111,
            text: "Failed to connect to proxy.example port 3128 after 0 ms: Couldn't connect"
        )
        let failure = failure(report, proxy: "http://proxy.example:3128")
        #expect(
            failure.reason == "connection refused by the proxy http://proxy.example:3128"
        )
    }
}

@Suite("Proxy settings")
struct ProxySettingsTests {
    private func settings(_ environment: [String: String]) -> ProxySettings {
        ProxySettings { environment[$0] }
    }

    @Test("read the environment as curl does")
    func environment() {
        let all = settings([
            "http_proxy": "a", "HTTP_PROXY": "b", "HTTPS_PROXY": "c", "all_proxy": "d",
            "NO_PROXY": "e",
        ])
        #expect(all.proxy(for: "http") == "a")
        #expect(all.proxy(for: "https") == "c")
        #expect(all.exceptions == "e")
        #expect(settings(["HTTP_PROXY": "b"]).proxy(for: "http") == nil)
        #expect(settings(["https_proxy": "", "ALL_PROXY": "d"]).proxy(for: "https") == "d")
        #expect(settings(["https_proxy": "x", "HTTPS_PROXY": "y"]).proxy(for: "https") == "x")
    }

    @Test(
        "show a proxy without its password",
        arguments: [
            ("http://user:p@ss@proxy.example:3128", "http://proxy.example:3128"),
            ("user:secret@proxy.example:3128", "proxy.example:3128"),
            ("proxy.example:3128", "proxy.example:3128"),
            ("socks5://proxy.example", "socks5://proxy.example"),
        ]
    )
    func name(proxy: String, shown: String) {
        #expect(settings(["all_proxy": proxy]).name(for: "https") == shown)
    }
}
