// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooCore

/// The state of a log: its origin, its size and the root of its tree (C2SP tlog-checkpoint).
package struct LogCheckpoint: Sendable, Hashable {
    /// The name of the log.
    package let origin: String
    /// The number of entries.
    package let size: Int
    /// The root of the tree over the entries.
    package let root: ContentDigest

    /// Creates a state.
    package init(origin: String, size: Int, root: ContentDigest) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// The text that is signed, without extension lines.
    package var text: [UInt8] {
        Array("\(origin)\n\(size)\n\(Data(root.bytes).base64EncodedString())\n".utf8)
    }

    /// Parses the text of a note; extension lines are ignored.
    ///
    /// - Throws: ``ZooError`` with code `log.malformed`.
    package init(parsing text: [UInt8]) throws(ZooError) {
        let lines = text.dropLast()
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard text.last == UInt8(ascii: "\n"), lines.count >= 3,
            lines.allSatisfy({ !$0.isEmpty })
        else { throw .malformedLog("the checkpoint", "does not have three lines with text") }
        // The same digits again, so that neither signs nor leading zeros pass.
        guard let size = Int(lines[1]), String(size) == lines[1],
            (0...LogTile.largestSize).contains(size)
        else { throw .malformedLog("the checkpoint", "states no size in its second line") }
        guard let root = [UInt8](strictBase64: lines[2]), root.count == LogTile.hashSize else {
            throw .malformedLog("the checkpoint", "states no root in its third line")
        }
        self.init(origin: lines[0], size: size, root: ContentDigest(bytes: root[...]))
        guard size > 0 || self.root == MerkleTree.emptyRoot else {
            throw .malformedLog("the checkpoint", "states a root for a log without entries")
        }
    }
}

/// A checkpoint whose signature was verified.
package struct SignedCheckpoint: Sendable, Equatable {
    /// The largest accepted note, in bytes: 16 post-quantum signatures and more.
    package static let limit = 256 << 10

    /// The state of the log.
    package let checkpoint: LogCheckpoint
    /// The stored form of the note.
    package let bytes: [UInt8]

    /// Parses a note and verifies it.
    ///
    /// - Parameters:
    ///   - bytes: the stored form.
    ///   - identity: the log that must have signed it.
    /// - Throws: ``ZooError`` with code `log.malformed`, or `log.signature-invalid` also for the checkpoint
    ///   of another log.
    package init(_ bytes: [UInt8], of identity: LogIdentity) throws(ZooError) {
        let note = try SignedNote(parsing: bytes)
        guard identity.key.verifies(note) else {
            throw ZooError(
                .logSignatureInvalid,
                "the checkpoint of the log '\(identity.origin)' is not signed with its key "
                    + identity.key.text,
                remedy: "do not use the registry before its owner explains it"
            )
        }
        checkpoint = try LogCheckpoint(parsing: note.text)
        guard checkpoint.origin.utf8.elementsEqual(identity.origin.utf8) else {
            throw ZooError(
                .logSignatureInvalid,
                "the checkpoint is of the log '\(checkpoint.origin)', and that of "
                    + "'\(identity.origin)' was expected",
                remedy: "do not use the registry before its owner explains it"
            )
        }
        self.bytes = bytes
    }

    /// Signs a checkpoint.
    ///
    /// - Throws: ``ZooError`` with code `log.key-malformed` when the key cannot sign.
    package init(_ checkpoint: LogCheckpoint, by signer: NoteSigner) throws(ZooError) {
        self.checkpoint = checkpoint
        bytes = try signer.sign(checkpoint.text).bytes
    }
}

/// Which log it is: its name and its key.
package struct LogIdentity: Sendable, Hashable {
    /// The name of the log, the first line of its checkpoints.
    package let origin: String
    /// The key of its checkpoints.
    package let key: NoteVerifier

    /// Creates an identity.
    package init(origin: String, key: NoteVerifier) {
        self.origin = origin
        self.key = key
    }

    /// Reads what `zoo.json` states.
    ///
    /// - Throws: ``ZooError`` with code `log.key-malformed`.
    package init(_ log: RegistryDescription.Log) throws(ZooError) {
        self.init(origin: log.origin, key: try NoteVerifier(parsing: log.key))
    }
}
