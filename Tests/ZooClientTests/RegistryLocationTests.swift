// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore

@Suite("Registry location")
struct RegistryLocationTests {
    @Test(
        "of a host is HTTPS, and HTTP on this machine",
        arguments: [
            ("zoo.example", "https://zoo.example"),
            ("zoo.example:8443", "https://zoo.example:8443"),
            ("localhost", "http://localhost"), ("LocalHost:8080", "http://LocalHost:8080"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("localhost.example", "https://localhost.example"),
        ]
    )
    func hosts(host: String, address: String) throws {
        #expect(RegistryLocation(host: host).description == address)
        // Every host here is one that a reference can name.
        #expect(try ModelReference(parsing: "\(host)/ami/ball-drop").host == host)
    }

    @Test("of a reference is never an IPv6 address, which the grammar cannot express")
    func noIPv6() {
        #expect(throws: ZooError(.referenceMalformed, "")) {
            try ModelReference(parsing: "[::1]:8080/ami/ball-drop")
        }
    }
}
