// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The blobs that were uploaded to, or mounted in, a repository: `.links/<repository>/<digest>`.
///
/// A blob is readable in a repository if a manifest of the repository refers to it. These links make it
/// readable before there is a manifest, and they expire.
package struct RepositoryLinks: Sendable {
    private let path: String

    init(root: String) { path = "\(root)/.links" }

    private func folder(_ repository: RepositoryName) -> String {
        "\(path)/\(ContentDigest(of: repository.description.utf8).hex)"
    }

    private func file(_ digest: BlobDigest, _ repository: RepositoryName) -> String {
        "\(folder(repository))/\(digest.algorithm.rawValue)-\(digest.hex)"
    }

    /// Links a blob.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func add(_ digest: BlobDigest, to repository: RepositoryName) throws(ZooError) {
        let path = file(digest, repository)
        try FileSystem.createFolder(folder(repository))
        // Writing sets the time from which the link expires.
        try OpenFile(path, .write).write([UInt8(ascii: "\n")], at: 0)
    }

    /// Whether a blob is linked.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func contains(
        _ digest: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> Bool {
        try FileSystem.status(file(digest, repository)) != nil
    }

    /// Removes a link; nothing happens when there is none.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func remove(_ digest: BlobDigest, from repository: RepositoryName) throws(ZooError) {
        try FileSystem.remove(file(digest, repository))
    }

    /// Removes the links that were made before a time in seconds since 1970.
    func removeExpired(before time: Int) throws(ZooError) {
        for repository in try FileSystem.names(in: path) {
            for name in try FileSystem.names(in: "\(path)/\(repository)") {
                let link = "\(path)/\(repository)/\(name)"
                guard let status = try FileSystem.status(link),
                    status.modified / 1_000_000_000 < time
                else { continue }
                try FileSystem.remove(link)
            }
        }
    }
}
