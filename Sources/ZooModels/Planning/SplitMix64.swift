// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The generator SplitMix64: the same numbers from a seed on every machine.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    /// Creates a generator from a seed.
    package init(seed: UInt64) { state = seed }

    /// Returns the next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= Self.gamma
        return Self.mixed(state)
    }

    /// Returns the next number from 0 up to 1, exclusive: the upper 53 bits of the next output.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Returns the output number `index`, from 0, of the generator with a seed.
    ///
    /// It serves as the seed of one of many independent generators.
    package static func output(_ index: UInt64, seed: UInt64) -> UInt64 {
        mixed(seed &+ (index &+ 1) &* gamma)
    }

    private static func mixed(_ state: UInt64) -> UInt64 {
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
