// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto

/// A digest of any algorithm that the OCI specifications register.
///
/// Releases use SHA-256 alone (``ContentDigest``); a registry that accepts other artifacts also stores
/// SHA-512. Source: opencontainers/image-spec, `descriptor.md`, "Registered algorithms", version 1.1.
public struct BlobDigest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A registered algorithm.
    public enum Algorithm: String, Sendable, CaseIterable {
        /// SHA-256, 64 digits.
        case sha256
        /// SHA-512, 128 digits.
        case sha512

        /// The number of hexadecimal digits.
        public var digits: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    /// The algorithm.
    public let algorithm: Algorithm
    /// The lower-case hexadecimal digits.
    public let hex: String

    /// Creates the digest of a release's blob.
    public init(_ digest: ContentDigest) {
        algorithm = .sha256
        hex = digest.hex
    }

    /// Parses `algorithm:hex`.
    ///
    /// - Throws: ``ZooError`` with code `digest.malformed`.
    public init(parsing text: String) throws(ZooError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let algorithm = Algorithm(rawValue: String(parts[0])),
            parts[1].utf8.count == algorithm.digits,
            parts[1].utf8.allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else {
            throw ZooError(
                .digestMalformed,
                "'\(text.prefix(160))' is not a digest",
                remedy: "a digest is 'sha256:' and 64, or 'sha512:' and 128, lower-case "
                    + "hexadecimal digits"
            )
        }
        self.algorithm = algorithm
        hex = String(parts[1])
    }

    /// The digest as that of a release's blob; nil for another algorithm.
    public var contentDigest: ContentDigest? {
        algorithm == .sha256 ? try? ContentDigest(hex: hex) : nil
    }

    /// `algorithm:hex`.
    public var description: String { "\(algorithm.rawValue):\(hex)" }

    /// The path of the blob in a registry folder.
    public var path: String { "blobs/\(algorithm.rawValue)/\(hex)" }

    /// The tag under which a registry without a referrers API lists the referrers of this digest.
    ///
    /// Source: opencontainers/distribution-spec, "Referrers tag schema", version 1.1.
    public var referrersTag: String { "\(algorithm.rawValue)-\(hex.prefix(64))" }

    /// Orders by text.
    public static func < (left: Self, right: Self) -> Bool {
        (left.algorithm.rawValue, left.hex) < (right.algorithm.rawValue, right.hex)
    }
}

extension BlobDigest {
    /// Computes a digest incrementally.
    public struct Hasher: Sendable {
        // Two optionals and not an enum with payloads, which would be copied at every update.
        private var sha256: SHA256?
        private var sha512: SHA512?

        /// Creates a hasher.
        public init(_ algorithm: Algorithm) {
            switch algorithm {
            case .sha256: sha256 = SHA256()
            case .sha512: sha512 = SHA512()
            }
        }

        /// Adds bytes without keeping a reference to them.
        public mutating func update(_ bytes: RawSpan) {
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe sha256?.update(bufferPointer: bytes)
                unsafe sha512?.update(bufferPointer: bytes)
            }
        }

        /// The digest of everything added so far.
        public func finish() -> BlobDigest {
            if let sha512 { return BlobDigest(.sha512, Array(sha512.finalize())) }
            return BlobDigest(.sha256, Array((sha256 ?? SHA256()).finalize()))
        }
    }

    private init(_ algorithm: Algorithm, _ bytes: [UInt8]) {
        self.algorithm = algorithm
        hex = bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Computes the digest of bytes in memory.
    public init(of bytes: [UInt8], _ algorithm: Algorithm) {
        var hasher = Hasher(algorithm)
        unsafe hasher.update(bytes.span.bytes)
        self = hasher.finish()
    }
}
