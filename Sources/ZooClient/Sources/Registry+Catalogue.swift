// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooRegistry

extension Registry {
    /// Reads the catalogue: every model and data set of the registry, in ascending order.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.digest-mismatch`, a code of
    ///   the documents, or the error of the source.
    package func catalogue() async throws -> [RegistryCatalogue.Entry] {
        var attempt = 0
        while true {
            attempt += 1
            let head: RegistryCatalogue
            do {
                head = try RegistryCatalogue(canonical: try await current(.catalogue))
            } catch let error as ZooError where error.code.category == .notFound {
                return try await catalogueFromImageIndex()
            }
            do {
                return try await entries(of: head)
            } catch let error as ZooError
                where error.code.category == .notFound && attempt < Self.headAttempts
            {
                // A publication replaced the head and removed a segment that this head lists.
            }
        }
    }

    /// The number of times that the head is read while publications replace it.
    private static let headAttempts = 4

    private func entries(
        of head: RegistryCatalogue
    ) async throws -> [RegistryCatalogue.Entry] {
        var latest: [ModelName: RegistryCatalogue.Entry] = [:]
        for segment in head.segments {
            let bytes = try await self.segment(segment)
            for entry in try RegistryCatalogue.Entry.all(in: bytes) { latest[entry.name] = entry }
        }
        return latest.values.filter { $0.summary != nil }.sorted { $0.name < $1.name }
    }

    /// Builds the catalogue of a registry folder that an older program wrote.
    private func catalogueFromImageIndex() async throws -> [RegistryCatalogue.Entry] {
        let listed: ImageIndex
        do {
            listed = try ImageIndex(parsing: try await current(.imageIndex))
        } catch let error as ZooError where error.code.category == .notFound {
            throw ZooError(
                .notARegistry,
                "there is no registry at \(source.address)",
                remedy: "check the address; a registry has 'zoo.json' and 'catalogue.json' at its "
                    + "root",
                cause: error
            )
        }
        var entries: [RegistryCatalogue.Entry] = []
        for name in Set(listed.entries.map(\.name)).sorted() {
            let index = try await index(of: name)
            guard let current = index.current else { continue }
            let manifest = try ReleaseManifest(
                canonical: try await manifest(current.digest, of: name)
            )
            let record = try manifest.kind.record(
                canonical: try await blob(
                    manifest.record.digest,
                    of: name,
                    limit: FormatLimits.record
                )
            )
            entries.append(
                RegistryCatalogue.Entry(
                    name: name,
                    summary: RegistryCatalogue.Summary(of: index, record)
                )
            )
        }
        return entries
    }
}
