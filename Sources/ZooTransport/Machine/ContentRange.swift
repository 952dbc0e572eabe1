// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A `Content-Range` header, RFC 9110 section 14.4.
enum ContentRange: Hashable, Sendable {
    /// `bytes 0-99/1000`, or `bytes 0-99/*` without a total.
    case part(Range<Int>, total: Int?)
    /// `bytes */1000`, the answer to a range that cannot be satisfied.
    case unsatisfied(total: Int)

    /// Reads a header value; nil when it is not exactly one of the forms above.
    init?(_ text: String) {
        guard text.prefix(6).lowercased() == "bytes " else { return nil }
        let halves = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let total = Int(digits: halves[1])
        if halves[0] == "*" {
            guard let total else { return nil }
            self = .unsatisfied(total: total)
            return
        }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int(digits: ends[0]), let last = Int(digits: ends[1]),
            first <= last, last < Int.max, total != nil || halves[1] == "*", last < total ?? Int.max
        else { return nil }
        self = .part(first..<last + 1, total: total)
    }
}

extension Int {
    /// Reads decimal digits and nothing else: no sign, no space, no overflow.
    init?(digits text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        self.init(text)
    }
}
