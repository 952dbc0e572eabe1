// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooCore

/// A proof, for offline use, that an entry is in a log: C2SP tlog-proof.
///
/// The extra data of the proof is the entry itself.
package struct LogProof: Sendable, Equatable {
    /// The largest accepted proof, in bytes: an entry, 64 hashes and a checkpoint.
    package static let limit = SignedCheckpoint.limit + 2 * EntryBundle.largestEntry
    private static let header = "c2sp.org/tlog-proof@v1"

    /// The stored form of the entry.
    package let entry: [UInt8]
    /// The proof of inclusion under the checkpoint.
    package let inclusion: InclusionProof
    /// The checkpoint.
    package let checkpoint: SignedCheckpoint

    /// Creates a proof and verifies it.
    ///
    /// - Throws: ``ZooError`` with code `log.content-mismatch` when the hashes do not lead from the entry to the
    ///   root of the checkpoint.
    package init(
        of entry: [UInt8],
        _ inclusion: InclusionProof,
        under checkpoint: SignedCheckpoint
    ) throws(ZooError) {
        guard inclusion.size == checkpoint.checkpoint.size,
            inclusion.proves(MerkleTree.leaf(entry), under: checkpoint.checkpoint.root)
        else {
            throw ZooError(
                .logMismatch,
                "entry \(inclusion.index) of the log '\(checkpoint.checkpoint.origin)' is not the one "
                    + "that its checkpoint of \(checkpoint.checkpoint.size) entries commits to",
                remedy: "do not use the registry before its owner explains it"
            )
        }
        self.entry = entry
        self.inclusion = inclusion
        self.checkpoint = checkpoint
    }

    /// Parses a proof and verifies it.
    ///
    /// - Parameters:
    ///   - bytes: the stored form.
    ///   - identity: the log that must have signed the checkpoint.
    /// - Throws: ``ZooError`` with code `log.malformed`, `log.signature-invalid` or `log.content-mismatch`.
    package init(_ bytes: [UInt8], of identity: LogIdentity) throws(ZooError) {
        guard bytes.count <= Self.limit,
            let end = bytes.indices.dropFirst().first(where: {
                bytes[$0] == 10 && bytes[$0 - 1] == 10
            })
        else { throw Self.malformed("has no empty line before its checkpoint") }
        let lines = bytes[..<(end - 1)].split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard lines.count >= 3, lines[0] == Self.header,
            let entry = Self.value(of: "extra", in: lines[1]).flatMap({ [UInt8](strictBase64: $0) }
            ),
            let digits = Self.value(of: "index", in: lines[2]), let index = Int(digits),
            index >= 0, String(index) == digits, lines.count <= 3 + 64
        else {
            throw Self.malformed("does not begin with '\(Self.header)', an entry and its index")
        }
        var hashes: [ContentDigest] = []
        for line in lines.dropFirst(3) {
            guard let hash = [UInt8](strictBase64: line), hash.count == LogTile.hashSize else {
                throw Self.malformed("has a line that is not a hash")
            }
            hashes.append(ContentDigest(bytes: hash[...]))
        }
        let checkpoint = try SignedCheckpoint(Array(bytes[(end + 1)...]), of: identity)
        try self.init(
            of: entry,
            InclusionProof(index: index, size: checkpoint.checkpoint.size, hashes: hashes),
            under: checkpoint
        )
    }

    /// The stored form.
    package var bytes: [UInt8] {
        let lines =
            [
                Self.header, "extra \(Data(entry).base64EncodedString())",
                "index \(inclusion.index)",
            ] + inclusion.hashes.map { Data($0.bytes).base64EncodedString() } + [""]
        return Array((lines.joined(separator: "\n") + "\n").utf8) + checkpoint.bytes
    }

    private static func value(of name: String, in line: String) -> String? {
        line.hasPrefix("\(name) ") ? String(line.dropFirst(name.count + 1)) : nil
    }

    private static func malformed(_ problem: String) -> ZooError {
        .malformedLog("the proof", problem)
    }
}
