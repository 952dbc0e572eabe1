// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// A local copy of the weights file of a catalogue entry.
package struct UpstreamFile: Sendable {
    /// The path on this machine.
    package let path: String
    /// Members of the release record's `lineage.upstream`: URL, name, size and digest.
    package let lineage: [String: JSONValue]

    private init(
        _ path: String,
        _ file: CatalogueEntry.File,
        size: Int,
        digest: ContentDigest,
        mirror: String? = nil
    ) {
        self.path = path
        var lineage: [String: JSONValue] = [
            "url": .string(file.url), "file": .string(file.name), "size": .integer(size),
            "sha256": .string(digest.hex),
        ]
        if let mirror { lineage["mirror"] = .string(mirror) }
        self.lineage = lineage
    }

    /// Opens a copy provided by the user and checks the size and digest that the catalogue states.
    ///
    /// - Parameters:
    ///   - path: the file, or the folder that contains it.
    ///   - entry: the catalogue entry.
    /// - Returns: the file.
    /// - Throws: ``ZooError`` with code `import.file-mismatch` or `io.*`; `CancellationError`.
    package static func local(
        _ path: String,
        of entry: CatalogueEntry
    ) async throws -> UpstreamFile {
        let isFolder = FileSystem.isFolder(path)
        let path = isFolder ? "\(path)/\(entry.weights.name)" : path
        return try await local(FilePlace(path), of: entry)
    }

    /// Opens a copy provided by the user, which may be inside an archive.
    ///
    /// - Returns: the file.
    /// - Throws: as the function for a path.
    package static func local(
        _ place: FilePlace,
        of entry: CatalogueEntry
    ) async throws -> UpstreamFile {
        let main = entry.weights
        return try await BlockingWork.run { cancellation in
            let path = place.path
            // Open the file once, so that size and digest are of the same file. Links are followed,
            // because the user chose the path.
            let file = try place.files.open(path)
            let size = file.byteCount
            var hasher = ContentDigest.Hasher()
            try file.forEachPiece(of: 0..<size, size: 1 << 20, cancellation) { hasher.update($0) }
            let digest = hasher.finish()
            try main.requireMatch(
                size: size,
                digest: digest,
                at: path,
                remedy: "omit --from to download the published file"
            )
            return UpstreamFile(path, main, size: size, digest: digest)
        }
    }

    /// Downloads all files of an entry.
    ///
    /// - Parameters:
    ///   - entry: the catalogue entry.
    ///   - mirror: the URL of a mirror to use instead: of the file if the entry has one file, else of
    ///     the folder with all files.
    ///   - fetcher: downloads the files.
    /// - Returns: the file with the weights.
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
                mirror: address
            )
        }
        guard let found else {
            throw ZooError(
                .importModelMissing,
                "'\(entry.weights.url)', the weights of '\(entry.name)', does not exist",
                remedy: "pass the address of a mirror or the path of a local copy with --from"
            )
        }
        return found
    }
}

extension CatalogueEntry {
    /// The file with the weights, which is the first one.
    fileprivate var weights: File {
        guard let file = files.first else { preconditionFailure("the entry has no files") }
        return file
    }
}

extension CatalogueEntry.File {
    /// Checks a file against the size and digest in the catalogue, if it states them.
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
                "'\(place)' has \(size) bytes, and the catalogue expects \(expected)",
                remedy: remedy
            )
        }
        if let expected = self.digest, let digest, expected != digest {
            throw ZooError(
                .importFileMismatch,
                "'\(place)' has digest \(digest), and the catalogue expects \(expected)",
                remedy: remedy
            )
        }
    }
}
