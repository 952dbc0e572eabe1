// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooServer

@Suite("A listen address")
struct ListenAddressTests {
    @Test(
        "is HOST:PORT",
        arguments: ["127.0.0.1:8080", "localhost:0", "[::1]:80", "[::]:65535", "zoo-1.lab:1"]
    )
    func isReadAndPrinted(_ text: String) throws {
        #expect(try ListenAddress(parsing: text).description == text)
    }

    @Test(
        "is refused when it is anything else",
        arguments: [
            "", ":", "localhost", ":80", "localhost:", "localhost:65536", "localhost:-1",
            "localhost:+1", "::1:80", "[]:80", "[localhost]:80", "http://localhost:80", "a b:1",
            "localhost:000080",
        ]
    )
    func refuses(_ text: String) {
        #expect(throws: ZooError(.addressMalformed, "")) { try ListenAddress(parsing: text) }
    }
}
