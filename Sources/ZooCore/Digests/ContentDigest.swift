// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto

/// A SHA-256 digest, which identifies everything that a registry stores.
///
/// The text form is `sha256:` followed by 64 lower-case hexadecimal digits.
public struct ContentDigest: Hashable, Sendable, Comparable {
    /// The 32 bytes as four big-endian words, so that a digest needs no heap allocation.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    fileprivate init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Computes the digest of bytes in memory.
    public init(of bytes: some Sequence<UInt8>) {
        var hasher = Hasher()
        hasher.update(Array(bytes))
        self = hasher.finish()
    }

    /// Parses `sha256:<hex>`.
    ///
    /// - Throws: ``ZooError`` with code `digest.malformed`.
    public init(parsing text: String) throws(ZooError) {
        guard text.hasPrefix("sha256:") else { throw .malformedDigest(text) }
        try self.init(hex: String(text.dropFirst(7)))
    }

    /// Parses 64 lower-case hexadecimal digits.
    ///
    /// - Throws: ``ZooError`` with code `digest.malformed`.
    public init(hex: String) throws(ZooError) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { throw .malformedDigest(hex) }
        var values: [UInt64] = [0, 0, 0, 0]
        for (position, digit) in digits.enumerated() {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit - UInt8(ascii: "a") + 10
            default: throw .malformedDigest(hex)
            }
            values[position / 16] = values[position / 16] << 4 | UInt64(nibble)
        }
        words = (values[0], values[1], values[2], values[3])
    }

    /// The 64 hexadecimal digits.
    public var hex: String {
        [words.0, words.1, words.2, words.3].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The first twelve digits, for display.
    public var short: String { String(hex.prefix(12)) }

    /// Whether two digests are equal.
    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    /// Orders digests by their hexadecimal text.
    public static func < (left: Self, right: Self) -> Bool { left.words < right.words }

    /// Hashes all 32 bytes.
    public func hash(into hasher: inout Swift.Hasher) {
        // A hostile document can list digests that agree in some of the words.
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

extension ContentDigest: CustomStringConvertible {
    /// `sha256:` followed by the digits.
    public var description: String { "sha256:\(hex)" }
}

extension ContentDigest {
    /// Computes a digest incrementally.
    public struct Hasher: Sendable {
        private var state = SHA256()

        /// Creates a hasher.
        public init() {}

        /// Adds bytes.
        public mutating func update(_ bytes: [UInt8]) {
            unsafe bytes.withUnsafeBytes { unsafe state.update(bufferPointer: $0) }
        }

        /// Adds bytes without keeping a reference to them.
        public mutating func update(_ bytes: RawSpan) {
            unsafe bytes.withUnsafeBytes { unsafe state.update(bufferPointer: $0) }
        }

        /// Adds bytes without keeping a reference to them.
        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            unsafe state.update(bufferPointer: bytes)
        }

        /// The digest of everything added so far.
        public func finish() -> ContentDigest {
            var values: [UInt64] = [0, 0, 0, 0]
            for (position, byte) in state.finalize().enumerated() {
                values[position / 8] = values[position / 8] << 8 | UInt64(byte)
            }
            return ContentDigest(words: (values[0], values[1], values[2], values[3]))
        }
    }
}

extension ZooError {
    fileprivate static func malformedDigest(_ text: String) -> ZooError {
        ZooError(
            .digestMalformed,
            "'\(text.prefix(80))' is not a digest",
            remedy: "a digest is 'sha256:' followed by 64 lower-case hexadecimal digits"
        )
    }
}
