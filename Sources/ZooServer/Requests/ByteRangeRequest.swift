// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The one range that a `Range` header asks for (RFC 9110 section 14.1.2).
enum ByteRangeRequest: Equatable, Sendable {
    /// `bytes=first-last`, or `bytes=first-` when `last` is nil; both ends are included.
    case span(first: Int, last: Int?)
    /// `bytes=-count`: the last bytes.
    case suffix(count: Int)

    /// Reads the value of a `Range` header.
    ///
    /// Returns nil, which means "send everything", for other units, for several ranges and for
    /// anything malformed: section 14.2 lets a server ignore all of these. Numbers that do not fit
    /// are as good as the largest that does.
    init?(parsing header: String) {
        let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
        // A list may hold empty elements and white space around each (section 5.6.1).
        let specifiers = parts[1].split(separator: ",").map(trimmed).filter { !$0.isEmpty }
        guard specifiers.count == 1 else { return nil }
        let bounds = specifiers[0].split(
            separator: "-",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard bounds.count == 2 else { return nil }
        switch (position(bounds[0]), position(bounds[1])) {
        case (let first?, let last?):
            guard first <= last else { return nil }
            self = .span(first: first, last: last)
        case (let first?, nil) where bounds[1].isEmpty: self = .span(first: first, last: nil)
        case (nil, let count?) where bounds[0].isEmpty: self = .suffix(count: count)
        default: return nil
        }
    }

    /// The bytes that this means in a file of `size` bytes, or nil when it means none.
    func resolved(in size: Int) -> Range<Int>? {
        switch self {
        case .span(let first, let last):
            guard first < size else { return nil }
            return first..<(min(last ?? size, size - 1) + 1)
        case .suffix(let count):
            guard count > 0, size > 0 else { return nil }
            return (size - min(count, size))..<size
        }
    }
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
}

/// A run of digits as a number, saturating; nil for anything else, also for nothing.
private func position(_ digits: Substring) -> Int? {
    guard !digits.isEmpty else { return nil }
    var value = 0
    for byte in digits.utf8 {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        let (tenfold, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tenfold.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
        // `Int.max` times ten overflows too, so a number that is too large stays so.
        value = overflowed || carried ? Int.max : sum
    }
    return value
}
