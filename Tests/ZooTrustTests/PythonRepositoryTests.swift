// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting
import ZooTrust

/// Reads a repository of python-tuf (`Tests/Vectors/tuf/peer.py make`) in the three states that it had.
@Suite("TUF client: a repository of python-tuf")
struct PythonRepositoryTests {
    private static let base = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Vectors/tuf/repository").path

    /// A folder of files of the repository.
    private struct Files: RepositoryFiles {
        let folder: String

        func file(_ name: String, limit: Int) async throws -> [UInt8]? {
            FileManager.default.contents(atPath: "\(folder)/\(name)").map { Array($0) }
        }
    }

    private func files(_ state: Int, _ folder: String) -> Files {
        Files(folder: "\(Self.base)/\(state)/\(folder)")
    }

    /// The content of a target in a state, for a client that keeps its metadata in a folder.
    private func content(_ path: String, _ state: Int, _ metadata: String) async throws -> String {
        let updater = MetadataUpdater(
            folder: MetadataFolder(metadata),
            files: files(state, "tuf"),
            now: try #require(Timestamp(parsing: "2030-01-01T00:00:00Z"))
        )
        let (target, proof) = try await updater.proof(of: path)
        #expect(try proof.verified(at: proof.time) == target)
        let bytes = try await updater.content(of: target, from: files(state, "index"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private func initialize(_ metadata: String) async throws {
        let root = try #require(try await files(1, "tuf").file("1.root.json", limit: .max))
        let now = try #require(Timestamp(parsing: "2030-01-01T00:00:00Z"))
        try MetadataFolder(metadata).initialize(anchor: root, now: now)
    }

    @Test("each state is read, also after new keys and hash bins")
    func states() async throws {
        try await TemporaryFolder.with { folder in
            let metadata = folder.path(of: "metadata")
            try await initialize(metadata)
            for (state, expected) in [(1, "first"), (2, "second"), (3, "third")] {
                #expect(try await content("ami/ball-drop.json", state, metadata) == expected)
                #expect(try await content("other/model.json", state, metadata) == "other")
            }
        }
    }

    @Test("an older state is refused", arguments: [(2, 1), (3, 2), (3, 1)])
    func rollback(new: Int, old: Int) async throws {
        try await TemporaryFolder.with { folder in
            let metadata = folder.path(of: "metadata")
            try await initialize(metadata)
            _ = try await content("ami/ball-drop.json", new, metadata)
            do {
                _ = try await content("ami/ball-drop.json", old, metadata)
                Issue.record("state \(old) was accepted after state \(new)")
            } catch let error as ZooError {
                // The timestamp of the older states is signed with a key that the third no longer trusts.
                #expect(error.code == (new == 3 ? .trustSignatures : .trustRollback))
            }
        }
    }

    @Test("a document that this program continues to sign keeps every signed byte")
    func drafts() async throws {
        let bytes = try #require(try await files(3, "tuf").file("2.root.json", limit: .max))
        var draft = try MetadataDraft<RootMetadata>(parsing: bytes)
        #expect(draft.signatures(of: draft.content.root) == 2)
        try draft.sign(with: PrivateKey.generate())
        _ = try draft.verified(as: .root, by: draft.content.root)
    }
}
