// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A request as ``HostileServer`` received it.
package struct RecordedRequest: Sendable, Hashable {
    /// The method, such as `GET`.
    package let method: String
    /// The path without query.
    package let path: String
    /// What follows the question mark; nil without one.
    package let query: String?
    /// Headers by name in lower case.
    package let headers: [String: String]
    /// How many requests for this path came before.
    package let count: Int
    /// Which connection it came on, from 0.
    package let connection: Int
    /// What the server has read of the body.
    package internal(set) var body: [UInt8] = []

    /// The declared size of the body.
    var bodySize: Int { headers["content-length"].flatMap { Int($0) } ?? 0 }

    /// The bytes asked for; without an end the range reaches to `Int.max`.
    package var range: Range<Int>? {
        guard let text = headers["range"], text.hasPrefix("bytes=") else { return nil }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int(ends[0]) else { return nil }
        if ends[1].isEmpty { return first..<Int.max }
        guard let last = Int(ends[1]), first <= last, last < Int.max else { return nil }
        return first..<last + 1
    }

    /// Reads the lines before the empty one; nil when they are no HTTP request.
    init?(lines: [Substring], connection: Int, countOf: (String) -> Int) {
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return nil }
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        method = String(words[0])
        path = String(target[0])
        query = target.count > 1 ? String(target[1]) : nil
        self.headers = headers
        count = countOf(path)
        self.connection = connection
    }
}
