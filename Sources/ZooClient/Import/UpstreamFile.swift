// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The file of a catalogue entry that holds the weights, on this machine.
package struct UpstreamFile: Sendable {
    /// Where it lies.
    package let path: String
    /// Members of the release record's `lineage.upstream`: address, name, size and digest.
    package let lineage: [String: JSONValue]
    /// The folder to remove when the import is done; nil for a user's own copy.
    package let fetchedFolder: String?

    private init(
        _ path: String,
        _ file: CatalogueEntry.File,
        size: Int,
        digest: ContentDigest,
        mirror: String? = nil,
        fetchedFolder: String? = nil
    ) {
        self.path = path
        self.fetchedFolder = fetchedFolder
        var lineage: [String: JSONValue] = [
            "url": .string(file.url), "file": .string(file.name), "size": .integer(size),
            "sha256": .string(digest.hex),
        ]
        if let mirror { lineage["mirror"] = .string(mirror) }
        self.lineage = lineage
    }

    /// Takes a user's own copy and checks its size and digest where the catalogue states them.
    ///
    /// - Parameters:
    ///   - path: the file, or the folder that holds it.
    ///   - entry: what the catalogue says.
    /// - Returns: the file.
    /// - Throws: ``ZooError`` with code `import.file-mismatch` or `io.*`; `CancellationError`.
    package static func local(
        _ path: String,
        of entry: CatalogueEntry
    ) async throws -> UpstreamFile {
        let main = entry.weights
        return try await BlockingWork.run { cancellation in
            let path = FileSystem.isFolder(path) ? "\(path)/\(main.name)" : path
            // Opened once: what is hashed is what has that size. A person names it, links and all.
            let file = try OpenFile(path, .readFollowing)
            let size = try file.status().size
            var hasher = ContentDigest.Hasher()
            try file.forEachPiece(of: 0..<size, size: 1 << 20, cancellation) { hasher.update($0) }
            let digest = hasher.finish()
            try main.requireMatch(
                size: size,
                digest: digest,
                at: path,
                remedy: "leave out --from to fetch the published file"
            )
            return UpstreamFile(path, main, size: size, digest: digest)
        }
    }

    /// Fetches all files of an entry.
    ///
    /// - Parameters:
    ///   - entry: what the catalogue says.
    ///   - mirror: where to fetch from instead: the address of the file when there is one, else of the
    ///     folder that holds all of them.
    ///   - fetcher: fetches each.
    /// - Returns: the file that holds the weights.
    /// - Throws: as ``UpstreamFetcher/fetch(_:from:)``.
    package static func fetch(
        _ entry: CatalogueEntry,
        mirror: String?,
        _ fetcher: UpstreamFetcher
    ) async throws -> UpstreamFile {
        var found: UpstreamFile?
        for file in entry.files {
            let address = mirror.map { entry.files.count == 1 ? $0 : "\($0)/\(file.name)" }
            guard let fetched = try await fetcher.fetch(file, from: address),
                file == entry.weights
            else { continue }
            found = UpstreamFile(
                fetched.path,
                file,
                size: fetched.size,
                digest: fetched.digest,
                mirror: address,
                fetchedFolder: fetcher.folder
            )
        }
        guard let found else {
            throw ZooError(
                .importModelMissing,
                "'\(entry.weights.url)' does not exist, and it holds the weights of '\(entry.name)'",
                remedy: "give the address of a mirror or a local copy with --from"
            )
        }
        return found
    }
}

extension CatalogueEntry {
    /// The file that holds the weights: the first one.
    fileprivate var weights: File {
        guard let file = files.first else { preconditionFailure("an entry without files") }
        return file
    }
}

extension CatalogueEntry.File {
    /// Checks a file against the size and the digest of the catalogue, where it states them.
    ///
    /// - Throws: ``ZooError`` with code `import.file-mismatch`.
    func requireMatch(
        size: Int,
        digest: ContentDigest?,
        at place: String,
        remedy: String
    ) throws(ZooError) {
        if let expected = self.size, expected != size {
            throw ZooError(
                .importFileMismatch,
                "'\(place)' has \(size) bytes, and the catalogue states \(expected)",
                remedy: remedy
            )
        }
        if let expected = self.digest, let digest, expected != digest {
            throw ZooError(
                .importFileMismatch,
                "'\(place)' has the digest \(digest), and the catalogue states \(expected)",
                remedy: remedy
            )
        }
    }
}
