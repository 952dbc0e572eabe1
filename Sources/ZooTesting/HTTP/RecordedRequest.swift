// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A request as ``HostileServer`` received it.
package struct RecordedRequest: Sendable, Hashable {
    /// The method, such as `GET`.
    package let method: String
    /// The path without the query.
    package let path: String
    /// The query without the question mark; nil when there is none.
    package let query: String?
    /// The headers, by lower-case name.
    package let headers: [String: String]
    /// The number of earlier requests for this path.
    package let count: Int
    /// The index of the connection, counted from 0.
    package let connection: Int
    /// The body bytes that the server has read.
    package internal(set) var body: [UInt8] = []

    /// The declared size of the body.
    var bodySize: Int { headers["content-length"].flatMap { Int($0) } ?? 0 }

    /// The requested byte range; an open range ends at `Int.max`.
    package var range: Range<Int>? {
        guard let text = headers["range"], text.hasPrefix("bytes=") else { return nil }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int(ends[0]) else { return nil }
        if ends[1].isEmpty { return first..<Int.max }
        guard let last = Int(ends[1]), first <= last, last < Int.max else { return nil }
        return first..<last + 1
    }

    /// Parses the request line and headers; nil when they are not an HTTP request.
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
