// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Content digests")
struct ContentDigestTests {
    /// NIST, "Secure Hash Standard" example messages for SHA-256 (FIPS 180-4), and the CAVP
    /// empty message.
    struct Vector: Sendable, CustomTestStringConvertible {
        let label: String
        let message: [UInt8]
        let hex: String
        var testDescription: String { label }
    }

    static let vectors = [
        Vector(
            label: "empty message",
            message: [],
            hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        Vector(
            label: "one block",
            message: Array("abc".utf8),
            hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ),
        Vector(
            label: "two blocks",
            message: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            hex: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        Vector(
            label: "one million bytes",
            message: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            hex: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test("the digest of a message is what NIST publishes", arguments: vectors)
    func knownAnswers(vector: Vector) throws {
        let digest = ContentDigest(of: vector.message)
        #expect(digest.hex == vector.hex)
        #expect(try ContentDigest(parsing: "sha256:" + vector.hex) == digest)
    }

    @Test(
        "bytes that arrive in pieces of any size have the same digest",
        arguments: [1, 63, 64, 65]
    )
    func pieces(length: Int) {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var hasher = ContentDigest.Hasher()
        var position = 0
        while position < message.count {
            let end = min(position + length, message.count)
            hasher.update(Array(message[position..<end]))
            position = end
        }
        #expect(hasher.finish() == ContentDigest(of: message))
    }

    @Test("digests order like their hexadecimal text, and the short form begins it")
    func ordersLikeText() throws {
        let digests = (0..<50).map { ContentDigest(of: [UInt8($0)]) }
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
        #expect(digests[0].hex.hasPrefix(digests[0].short))
        #expect(digests[0].short.count == 12)
    }

    @Test("digests that differ only at their end are different and hash apart")
    func equalityLooksAtEveryByte() throws {
        let zeros = String(repeating: "0", count: 63)
        let digests = try (0..<16).map { try ContentDigest(hex: zeros + String($0, radix: 16)) }
        #expect(Set(digests).count == 16)
        #expect(Set(digests.map(\.hashValue)).count == 16)
    }
}
