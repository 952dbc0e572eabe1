// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Web address")
struct WebAddressTests {
    @Test("takes a URL apart and shows it without its query")
    func parts() throws {
        let address = try WebAddress(parsing: "https://Zoo.Example:8443/a/b?signature=secret#top")
        #expect(address.url == "https://Zoo.Example:8443/a/b?signature=secret")
        #expect(address.host == "zoo.example")
        #expect(address.port == "8443")
        #expect(address.description == "https://zoo.example:8443/a/b")
    }

    @Test(
        "refuses what is not an absolute http or https URL without credentials",
        arguments: [
            "", "zoo.example/a", "/a", "file:///etc/passwd", "ftp://zoo.example/", "https://",
            "http://user:secret@zoo.example/", "http://user@zoo.example/", "http://zoo.example:x/",
        ]
    )
    func refuses(text: String) {
        #expect(throws: ZooError(.urlInvalid, "")) { try WebAddress(parsing: text) }
    }

    @Test(
        "resolves a Location against itself",
        arguments: [
            ("/x", "https://zoo.example/x"),
            ("x?y=1", "https://zoo.example/a/x?y=1"),
            ("../x", "https://zoo.example/x"),
            ("//other.example/x", "https://other.example/x"),
            ("http://other.example:81/x", "http://other.example:81/x"),
            ("/with space", "https://zoo.example/with%20space"),
        ]
    )
    func resolves(location: String, expected: String) throws {
        let address = try WebAddress(parsing: "https://zoo.example/a/b?c=d")
        #expect(address.resolving(location)?.url == expected)
    }

    @Test(
        "does not follow a Location to another scheme or with credentials",
        arguments: [
            "file:///etc/passwd", "gopher://zoo.example/", "https://user:secret@zoo.example/",
        ]
    )
    func refusesLocation(location: String) throws {
        let address = try WebAddress(parsing: "https://zoo.example/a")
        #expect(address.resolving(location) == nil)
    }

    @Test(
        "tells origins apart by scheme, host and port",
        arguments: [
            ("https://zoo.example/other", true),
            ("https://ZOO.example:443/", true),
            ("https://zoo.example:444/", false),
            ("http://zoo.example/", false),
            ("https://zoo.example.evil/", false),
        ]
    )
    func origins(other: String, isSame: Bool) throws {
        let address = try WebAddress(parsing: "https://zoo.example/a")
        #expect(address.sharesOrigin(with: try WebAddress(parsing: other)) == isSame)
    }
}
