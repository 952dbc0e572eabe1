// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A number of bytes with a human-readable description.
public struct ByteCount: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number of bytes.
    public let bytes: Int

    /// Wraps a number of bytes.
    public init(_ bytes: Int) { self.bytes = bytes }

    /// Orders by size.
    public static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

    /// The sum of two counts.
    public static func + (left: Self, right: Self) -> Self { Self(left.bytes + right.bytes) }

    /// The count in decimal units with three significant digits: `512 B`, `4.20 MB`, `1.07 GB`.
    public var description: String {
        guard bytes >= 1000 else { return "\(bytes) B" }
        var value = Double(bytes) / 1000
        var units = ["kB", "MB", "GB", "TB", "PB"][...]
        while value >= 999.5, units.count > 1 {
            value /= 1000
            units.removeFirst()
        }
        let hundredths = Int((value * 100).rounded())
        let digits =
            switch value {
            case ..<9.995: "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
            case ..<99.95: "\(Int((value * 10).rounded()) / 10).\(Int((value * 10).rounded()) % 10)"
            default: "\(Int(value.rounded()))"
            }
        return "\(digits) \(units.first ?? "PB")"
    }
}
