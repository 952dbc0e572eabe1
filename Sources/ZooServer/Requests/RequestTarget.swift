// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The target of a request: a path and a query.
struct RequestTarget: Sendable {
    /// The path, which begins with `/`; percent escapes are not decoded.
    let path: Substring
    private let query: [(name: String, value: String)]

    /// Parses the origin form (`/path?query`) or the absolute form (`http://host/path`).
    ///
    /// RFC 9112 section 3.2.2 requires servers to accept the absolute form.
    init?(parsing target: String) {
        var rest = target[...]
        for scheme in ["http://", "https://"] where rest.prefix(scheme.count).lowercased() == scheme
        {
            rest = rest.dropFirst(scheme.count).drop { $0 != "/" }
            break
        }
        guard rest.first == "/" else { return nil }
        path = rest.prefix { $0 != "?" }
        query = rest.dropFirst(path.count + 1).split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count == 2 ? Self.decoded(parts[1]) : "")
        }
    }

    private init(path: Substring, query: [(name: String, value: String)]) {
        self.path = path
        self.query = query
    }

    /// The same query after another path.
    func replacingPath(with path: String) -> RequestTarget {
        RequestTarget(path: path[...], query: query)
    }

    /// The first value of a query item; nil without one.
    func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// Every value of a query item.
    func values(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

    /// Decodes percent escapes; text with a malformed escape stays as it is, and fails where it is parsed.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(validating: rest.prefix(2), as: UTF8.self),
                digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16)
            else { return String(text) }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self) ?? String(text)
    }
}
