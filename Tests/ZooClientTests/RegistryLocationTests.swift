// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore

/// Addresses of registries on a command line.
@Suite struct RegistryLocationTests {
    /// What is trusted is found by the address: no other form of it may be read unsigned.
    @Test(arguments: [
        "https://", "https:///zoo", "https://user@host.example/zoo", "https://host.example./zoo",
        "https://host.example.:443/zoo", "https://host.example/./zoo", "https://host.example//zoo",
        "https://host.example/a/../zoo", "https://host.example/zoo?x", "https://host.example/zoo#x",
        "https://host.example\\@other.example/zoo", "https://host.example/zoo zoo",
    ])
    func anAddressHasOneForm(_ text: String) {
        #expect(throws: ZooError(.registryAddress, "")) { try RegistryLocation(parsing: text) }
    }

    @Test func plainAddressesAreTaken() throws {
        for (text, canonical) in [
            ("https://host.example", "https://host.example"),
            ("https://HOST.example:443/Zoo/", "https://host.example/Zoo"),
            ("http://127.0.0.1:8080/a/b//", "http://127.0.0.1:8080/a/b"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let location = try RegistryLocation(parsing: text)
            #expect(TrustedRegistries.canonical(location) == canonical)
        }
    }
}
