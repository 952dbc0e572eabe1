// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Double {
    /// The number with one decimal place.
    package var fixed1: String {
        guard abs(self) < 1e15 else { return "\(self)" }
        let tenths = Int((self * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}

extension Float {
    /// The number with four decimal places.
    package var fixed4: String {
        // Larger Floats have no fractional part.
        guard abs(self) < 1e9 else { return "\(self)" }
        let digits = "\(Int((abs(self) * 10_000).rounded()))"
        let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "\(self < 0 ? "-" : "")\(padded.dropLast(4)).\(padded.suffix(4))"
    }
}
