// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Setbacks from libcurl")
struct SetbackTests {
    @Test(
        "are worth another attempt exactly when the network may recover",
        arguments: [
            ("CURLE_COULDNT_RESOLVE_HOST", 6 as UInt32, ZooError.Code.hostUnknown, true),
            ("CURLE_COULDNT_RESOLVE_PROXY", 5, .connectionFailed, true),
            ("CURLE_COULDNT_CONNECT", 7, .connectionFailed, true),
            ("CURLE_OPERATION_TIMEDOUT", 28, .connectionFailed, true),
            ("CURLE_PARTIAL_FILE", 18, .interrupted, true),
            ("CURLE_GOT_NOTHING", 52, .interrupted, true),
            ("CURLE_RECV_ERROR", 56, .interrupted, true),
            ("CURLE_SEND_ERROR", 55, .interrupted, true),
            ("CURLE_HTTP2_STREAM", 92, .interrupted, true),
            ("CURLE_PEER_FAILED_VERIFICATION", 60, .tlsFailed, false),
            ("CURLE_SSL_CONNECT_ERROR", 35, .tlsFailed, false),
            ("CURLE_WEIRD_SERVER_REPLY", 8, .replyMalformed, false),
            ("CURLE_OUT_OF_MEMORY", 27, .libraryFailed, false),
        ]
    )
    func classes(name: String, result: UInt32, code: ZooError.Code, isTransient: Bool) {
        let setback = Setback(libcurl: result, systemError: 0, text: "", policy: TransferPolicy())
        #expect(setback.code == code)
        #expect(setback.isTransient == isTransient)
        #expect(!setback.reason.isEmpty)
    }

    @Test("prefer the words of the operating system, then those of libcurl")
    func words() {
        let policy = TransferPolicy()
        let refused = Setback(
            libcurl: 7,
            systemError: 111,
            text: "x",
            policy: policy
        )
        #expect(refused.reason == "connection refused")
        let expired = Setback(
            libcurl: 60,
            systemError: 0,
            text: "certificate has expired",
            policy: policy
        )
        #expect(expired.reason == "certificate has expired")
    }
}
