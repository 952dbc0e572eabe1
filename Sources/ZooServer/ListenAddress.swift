// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A listen address: `HOST:PORT`, such as `127.0.0.1:8080`, `localhost:0` or `[::1]:80`.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// The default of `ami-zoo serve`, which accepts only connections from this machine.
    package static let standard = ListenAddress(host: "127.0.0.1", port: 8080)

    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    package let host: String
    /// The port; 0 selects a free port.
    package let port: Int

    /// Creates an address; `port` must be in 0…65535.
    package init(host: String, port: Int) {
        precondition((0...65_535).contains(port), "port \(port) is outside 0...65535")
        self.host = host
        self.port = port
    }

    /// Parses `HOST:PORT`, with an IPv6 address in brackets.
    ///
    /// - Throws: ``ZooError`` with code `server.address-malformed`.
    package init(parsing text: String) throws(ZooError) {
        guard let colon = text.lastIndex(of: ":") else { throw .malformedAddress(text) }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit),
            let port = Int(digits), port <= 65_535
        else { throw .malformedAddress(text) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { throw .malformedAddress(text) }
        } else if host.contains(":") {
            throw .malformedAddress(text)
        }
        guard !host.isEmpty, host.utf8.allSatisfy(isHostByte) else {
            throw .malformedAddress(text)
        }
        self.init(host: String(host), port: port)
    }

    /// Whether only programs on this machine can connect: `localhost`, `127.0.0.0/8` or `::1`.
    package var isLoopback: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.lowercased() == "localhost" || host == "::1"
            || parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether a `Host` header names this machine, by an address or name that no other machine can have.
    ///
    /// A web page of another site can make a browser send requests here under the name of that site (DNS
    /// rebinding), and a reverse proxy passes on the name that its clients used.
    static func isLoopback(hostHeader: String) -> Bool {
        let hasPort = hostHeader.hasSuffix("]") || !hostHeader.contains(":") ? ":80" : ""
        return (try? ListenAddress(parsing: hostHeader + hasPort))?.isLoopback ?? false
    }

    /// `HOST:PORT`, with brackets around an IPv6 address.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

private func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
        UInt8(ascii: "%"):
        true
    default: isDigit(byte)
    }
}

extension ZooError {
    fileprivate static func malformedAddress(_ text: String) -> ZooError {
        ZooError(
            .addressMalformed,
            "'\(text.prefix(80))' is not a listen address",
            remedy: "use HOST:PORT, such as 127.0.0.1:8080 or [::1]:0"
        )
    }
}
