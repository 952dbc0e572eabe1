// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Where a server listens: `HOST:PORT`, such as `127.0.0.1:8080`, `localhost:0` or `[::1]:80`.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// What `ami-zoo serve` uses when nobody says otherwise: this machine only.
    package static let standard = ListenAddress(host: "127.0.0.1", port: 8080)

    /// A host name or an address, an IPv6 address without its brackets.
    package let host: String
    /// The port, 0 for any that is free.
    package let port: Int

    /// An address whose parts are known; `port` must be in 0…65535.
    package init(host: String, port: Int) {
        precondition((0...65_535).contains(port), "port \(port) is outside 0...65535")
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`; an IPv6 address stands in brackets.
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
            "'\(text.prefix(80))' is not an address to listen on",
            remedy: "write HOST:PORT, such as 127.0.0.1:8080 or [::1]:0"
        )
    }
}
