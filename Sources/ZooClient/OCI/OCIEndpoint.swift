// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The address of an OCI registry, with a prefix that goes before the name of every model.
struct OCIEndpoint: Sendable {
    /// The scheme, host and port, such as `https://example.org:5000`.
    let origin: String
    /// The prefix of repositories; empty, or ending in `/`.
    let prefix: String

    /// Splits a base URL into origin and prefix.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed` when the path is not the name of a
    ///   repository.
    init(base: String) throws(ZooError) {
        let start = base.firstRange(of: "://")
        let rest = start.map { base[$0.upperBound...] } ?? base[...]
        let host = rest.prefix { $0 != "/" }
        origin = String(base[..<host.endIndex])
        let path = rest.dropFirst(host.count).split(separator: "/").joined(separator: "/")
        prefix = path.isEmpty ? "" : "\(try RepositoryName(parsing: path))/"
    }

    /// The host and, when the address has one, the port.
    var host: String { String(origin.drop { $0 != "/" }.dropFirst(2)) }

    /// What credentials are stored for: the host with the prefix, whose accounts may be its own, and
    /// the host.
    var logins: [String] {
        prefix.isEmpty ? [host] : ["\(host)/\(prefix.dropLast())", host]
    }

    /// The repository of a model.
    func repository(of name: ModelName) throws(ZooError) -> RepositoryName {
        try RepositoryName(parsing: prefix + name.description)
    }

    /// The URL of a part of a repository.
    func url(_ repository: RepositoryName, _ path: String) -> String {
        "\(origin)/v2/\(repository)/\(path)"
    }

    /// The URL of a path of the registry beside its OCI API, which only `ami-zoo serve` has.
    func url(ofFile path: String) -> String { "\(origin)/\(prefix)\(path)" }

    /// Whether nobody on the way can read what is sent.
    var isPrivate: Bool { Self.isPrivate(origin) }

    /// Whether nobody on the way can read what is sent to an address: HTTPS, or this machine.
    static func isPrivate(_ url: String) -> Bool {
        if url.hasPrefix("https://") { return true }
        let host = url.drop { $0 != "/" }.dropFirst(2).prefix { !"/?#".contains($0) }
        // What comes before "@" is a user name.
        guard !host.contains("@") else { return false }
        return ["localhost", "127.0.0.1", "[::1]"].contains { name in
            host == name || host.hasPrefix("\(name):")
        }
    }

    /// Escapes text for a query: everything but the unreserved characters of RFC 3986.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
