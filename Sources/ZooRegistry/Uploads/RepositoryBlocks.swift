// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// Finds blocks in the archives of a repository; the archives of other repositories are not searched.
package struct RepositoryBlocks: Sendable {
    private let metadata: RegistryMetadata
    private let contents: RepositoryContents
    private let blobs: BlobFolder

    /// Creates a search.
    ///
    /// - Parameters:
    ///   - registry: the folder with the archives and the block index.
    ///   - contents: what each repository has.
    package init(_ registry: RegistryFolder, _ contents: RepositoryContents) {
        metadata = registry.metadata
        blobs = registry.blobs
        self.contents = contents
    }

    /// Looks for blocks.
    ///
    /// - Parameters:
    ///   - digests: the digests of blocks as they are in an archive.
    ///   - repository: the repository.
    /// - Returns: a place for each block that was found; its bytes are not checked.
    /// - Throws: ``ZooError`` with a code of the documents, `database.*` or `io.*`.
    func places(
        of digests: Set<ContentDigest>,
        in repository: RepositoryName
    ) throws -> [ContentDigest: MetadataDatabase.BlockPlace] {
        guard let name = repository.modelName else { return [:] }
        return try metadata.places(of: digests, in: name) { archive in
            let blob = BlobDigest(archive)
            return try contents.holds(blob: blob, in: repository) && blobs.size(of: blob) != nil
        }
    }

    /// Opens the archives that have some blocks.
    func reader(
        of digests: Set<ContentDigest>,
        in repository: RepositoryName
    ) throws -> Reader {
        Reader(places: try places(of: digests, in: repository), blobs: blobs)
    }

    /// Reads blocks from the archives that have them.
    struct Reader {
        fileprivate let places: [ContentDigest: MetadataDatabase.BlockPlace]
        fileprivate let blobs: BlobFolder
        /// The archive that was read last: neighbouring blocks tend to come from the same one.
        private var open: (archive: ContentDigest, file: OpenFile)?

        fileprivate init(
            places: [ContentDigest: MetadataDatabase.BlockPlace],
            blobs: BlobFolder
        ) {
            self.places = places
            self.blobs = blobs
        }

        /// The bytes of a block; nil when no archive has them any more.
        mutating func bytes(of digest: ContentDigest, size: Int) -> [UInt8]? {
            guard let place = places[digest], place.range.count == size,
                let bytes = try? file(of: place.archive).bytes(place.range),
                ContentDigest(of: bytes) == digest
            else { return nil }
            return bytes
        }

        private mutating func file(of archive: ContentDigest) throws(ZooError) -> OpenFile {
            if let open, open.archive == archive { return open.file }
            let file = try OpenFile(blobs.path(of: archive), .read)
            open = (archive, file)
            return file
        }
    }
}
