// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A source of normally distributed random numbers for planners.
public protocol NoiseSource: Sendable {
    /// Returns the next random numbers, with mean 0 and std 1.
    mutating func normals(_ count: Int) -> [Float]
}

/// Normally distributed numbers from a seed, identical on every machine.
///
/// Bits come from `SplitMix64`; Marsaglia's polar method transforms pairs of uniform numbers.
/// Only addition, multiplication, division and square root are used, which IEEE 754 defines
/// exactly. The logarithm is computed from them, because those of C libraries differ.
public struct SeededNoise: NoiseSource {
    private var bits: SplitMix64
    /// The second number of the last pair.
    private var spare: Double?

    /// Creates a source from a seed.
    public init(seed: UInt64) { bits = SplitMix64(seed: seed) }

    /// Returns the next random numbers.
    public mutating func normals(_ count: Int) -> [Float] { (0..<count).map { _ in Float(next()) } }

    private mutating func next() -> Double {
        if let number = spare {
            spare = nil
            return number
        }
        while true {
            let (x, y) = (uniform(), uniform())
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let factor = (-2 * Self.logarithm(square) / square).squareRoot()
            spare = y * factor
            return x * factor
        }
    }

    /// Returns a uniform number from −1 up to 1.
    private mutating func uniform() -> Double {
        Double(bits.next() >> 11) * 0x1p-52 - 1
    }

    /// Returns the natural logarithm of a normal floating-point number, accurate to about 1e-15.
    ///
    /// With x = m · 2^e and m from √½ to √2, ln x = e ln 2 + 2 artanh z, z = (m − 1) / (m + 1),
    /// computed with the series of artanh, whose terms decrease by a factor of at least 34.
    static func logarithm(_ x: Double) -> Double {
        var (exponent, mantissa) = (Double(x.exponent), x.significand)
        if mantissa > 2.0.squareRoot() { (exponent, mantissa) = (exponent + 1, mantissa / 2) }
        let z = (mantissa - 1) / (mantissa + 1)
        let square = z * z
        var sum = 0.0
        for power in stride(from: 21, through: 1, by: -2) { sum = sum * square + 1 / Double(power) }
        return exponent * 0.693_147_180_559_945_3 + 2 * z * sum
    }
}
