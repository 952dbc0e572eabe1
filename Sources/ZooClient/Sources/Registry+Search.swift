// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
package import ZooStore

extension Registry {
    /// Searches the catalogue, with the same ranking for every kind of registry.
    ///
    /// A folder is searched in its own database. The catalogue of another registry is downloaded to a
    /// database in the store, and then only its new segments.
    ///
    /// - Throws: ``ZooError`` with the codes of ``catalogue()``, or `database.*`.
    package func search(_ query: CatalogueQuery) async throws -> CatalogueMatches {
        let head: RegistryCatalogue
        do {
            head = try RegistryCatalogue(canonical: try await current(.catalogue))
        } catch let error as ZooError where error.code.category == .notFound {
            // A registry that an older program wrote.
            let entries = try await catalogue()
            return try await BlockingWork.run { _ in
                let database = try MetadataDatabase(opening: nil)
                try database.add(entries)
                return try database.search(query)
            }
        }
        if let folder {
            return try await BlockingWork.run { _ in
                try RegistryMetadata(root: folder).search(query, creating: false)
            }
        }
        let (cache, address) = (cache, source.address)
        let (database, missing) = try await BlockingWork.run { _ in
            // A store that cannot be written is no reason not to search.
            let path = try? cache?.searchDatabase(of: address)
            let database =
                if let path, let stored = try? MetadataDatabase(opening: path) { stored } else {
                    try MetadataDatabase(opening: nil)
                }
            return (database, try database.missing(of: head))
        }
        var segments: [ContentDigest: [UInt8]] = [:]
        for segment in missing {
            segments[segment.digest] = try await self.segment(segment)
        }
        return try await BlockingWork.run { [segments] _ in
            try database.synchronize(with: head) { segment in
                guard let bytes = segments[segment.digest] else {
                    throw ZooError(
                        .databaseBusy,
                        "another program searched \(address) at the same time",
                        remedy: "run the command again"
                    )
                }
                return try RegistryCatalogue.Entry.all(in: bytes)
            }
            return try database.search(query)
        }
    }
}
