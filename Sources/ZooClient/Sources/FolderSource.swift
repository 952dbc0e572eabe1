// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A registry folder on this machine.
package struct FolderSource: RegistrySource {
    private let root: String
    private static let piece = 1 << 20

    /// Opens the registry in a folder.
    package init(root: String) { self.root = root }

    /// The folder as a `file:` URL.
    package var address: String { "file:\(root)" }

    /// Reads a document; a folder has no entity tags.
    package func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument {
        .fetched(try await read(document.path, limit: document.limit), entityTag: nil)
    }

    /// Reads a manifest, which a folder stores as a blob.
    package func manifest(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await blob(digest, of: name, limit: limit)
    }

    /// Reads a blob; a folder stores the blobs of all models together.
    package func blob(
        _ digest: ContentDigest,
        of name: ModelName,
        limit: Int
    ) async throws -> [UInt8] {
        try await read(RegistryLayout.blob(digest), limit: limit)
    }

    private func read(_ path: String, limit: Int) async throws -> [UInt8] {
        let full = "\(root)/\(path)"
        return try await BlockingWork.run { _ in try FileSystem.document(full, limit: limit) }
    }

    /// Reads a range of a blob in chunks.
    package func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        let (full, size) = ("\(root)/\(RegistryLayout.blob(blob.digest))", blob.size)
        let range = range ?? 0..<size
        try await BlockingWork.run { cancellation in
            let file = try OpenFile(full, .read)
            let found = try file.status().size
            guard found == size else {
                throw ZooError(
                    .registryMismatch,
                    "'\(full)' has \(found) bytes, and the registry states \(size)",
                    remedy: "run 'ami-zoo registry check' on the registry"
                )
            }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.piece) {
                try cancellation.check()
                let end = min(start + Self.piece, range.upperBound)
                let piece = try file.bytes(start..<end)
                unsafe try sink(piece.span.bytes)
            }
        }
    }
}
