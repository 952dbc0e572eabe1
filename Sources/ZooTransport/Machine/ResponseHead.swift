// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl

/// The status line and headers of one response.
struct ResponseHead: Sendable, Hashable {
    /// The three-digit status.
    var status: Int
    /// When the head arrived, in seconds since 1970.
    var receivedAt: Int
    /// Values by name in lower case; of a repeated header the last one.
    private var values: [String: String] = [:]

    /// Makes a head without headers.
    init(status: Int, receivedAt: Int) {
        self.status = status
        self.receivedAt = receivedAt
    }

    /// A header's value; names are given in lower case.
    subscript(name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// The declared length of the body; nil when absent or not a number.
    var contentLength: Int? { self["content-length"].flatMap { Int(digits: $0) } }

    /// The parsed `Content-Range`; nil when absent or malformed.
    var contentRange: ContentRange? { self["content-range"].flatMap { ContentRange($0) } }

    /// The entity tag, when it is strong: only that promises the same bytes.
    var strongTag: String? { self["etag"].flatMap { $0.hasPrefix("\"") ? $0 : nil } }

    /// The encoding of the body, which the request excluded; nil when there is none.
    var appliedEncoding: String? {
        guard let encoding = self["content-encoding"]?.lowercased(), !encoding.isEmpty,
            encoding != "identity"
        else { return nil }
        return encoding
    }

    /// Whether the body is declared to be a web page.
    var isWebPage: Bool {
        let type = self["content-type"]?.prefix { $0 != ";" }.lowercased().trimmed
        return type == "text/html" || type == "application/xhtml+xml"
    }

    /// Whether the body may be a web page; without a type, its first bytes decide.
    var mayBeWebPage: Bool { isWebPage || self["content-type"] == nil }

    /// How long the server asks to wait: `Retry-After` in seconds or as a date.
    ///
    /// A date counts from the response's own `Date`, so that a wrong local clock does not matter.
    var retryAfter: Duration? {
        guard let text = self["retry-after"] else { return nil }
        if let seconds = Int(digits: text) { return .seconds(seconds) }
        guard let moment = Self.seconds(ofDate: text) else { return nil }
        let now = self["date"].flatMap { Self.seconds(ofDate: $0) } ?? receivedAt
        return .seconds(max(0, moment - now))
    }

    private static func seconds(ofDate text: String) -> Int? {
        let seconds = unsafe curl_getdate(text, nil)
        return seconds < 0 ? nil : Int(seconds)
    }
}

/// Builds a ``ResponseHead`` from the lines that libcurl hands over one by one.
struct ResponseHeadReader {
    private var head: ResponseHead?

    /// Takes a line; returns the head when the line ends one.
    ///
    /// Interim responses (1xx) and trailers are dropped.
    mutating func take(_ line: String, at time: Int) -> ResponseHead? {
        let text = line.trimmed
        if text.hasPrefix("HTTP/") {
            let words = text.split(separator: " ", maxSplits: 2)
            head = ResponseHead(
                status: words.count > 1 ? Int(digits: words[1]) ?? 0 : 0,
                receivedAt: time
            )
            return nil
        }
        if text.isEmpty {
            defer { head = nil }
            return head.flatMap { (100...199).contains($0.status) ? nil : $0 }
        }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        head?[text[..<colon].lowercased()] = String(text[text.index(after: colon)...]).trimmed
        return nil
    }
}

extension Collection<UInt8> {
    /// Whether the bytes start like an HTML page.
    var beginsWebPage: Bool {
        let text = String(decoding: prefix(512), as: UTF8.self).lowercased()
        let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
    }
}

extension String {
    /// The text without the blanks and line ends around it.
    fileprivate var trimmed: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest.drop(while: \.isWhitespace))
    }
}
