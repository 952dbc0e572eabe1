// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The one range that a `Range` header asks for (RFC 9110 section 14.1.2).
enum ByteRangeRequest: Equatable, Sendable {
    /// `bytes=first-last`, both ends included, or `bytes=first-` when `last` is nil.
    case span(first: Int, last: Int?)
    /// `bytes=-count`: the last bytes.
    case suffix(count: Int)

    /// Parses the value of a `Range` header.
    ///
    /// Returns nil, which means the whole file, for other units, for several ranges and for malformed
    /// values; section 14.2 permits a server to ignore these. Numbers are clamped to `Int.max`.
    init?(parsing header: String) {
        let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
        // A list may contain empty elements and white space around elements (section 5.6.1).
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

    /// The byte range in a file of `size` bytes; nil when it is unsatisfiable.
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

/// Parses digits into an integer, clamped to `Int.max`; nil for other or empty text.
private func position(_ digits: Substring) -> Int? {
    guard !digits.isEmpty else { return nil }
    var value = 0
    for byte in digits.utf8 {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        let (tenfold, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tenfold.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
        // `Int.max` times ten also overflows, so the result stays clamped.
        value = overflowed || carried ? Int.max : sum
    }
    return value
}
