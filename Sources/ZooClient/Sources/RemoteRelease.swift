// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooStore

/// The documents of a release in a registry, fetched and checked for consistency.
package struct RemoteRelease: Sendable {
    /// One archive with its block table.
    package struct Archive: Sendable {
        /// The archive's entry in the manifest.
        package let entry: ReleaseManifest.Archive
        /// Its block table.
        package let table: BlockTable
        /// The stored form of the block table.
        package let tableBytes: [UInt8]
    }

    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The stored form of the manifest.
    package let manifestBytes: [UInt8]
    /// The manifest.
    package let manifest: ReleaseManifest
    /// The release record.
    package let record: any ArchivedRecord
    /// The archives in manifest order; empty before ``withTables(from:)``.
    package let archives: [Archive]
    /// The yank; nil when the version is not yanked.
    package let yank: IndexDocument.Yank?
    /// What the index document lists as attached; empty where an OCI registry lists it elsewhere.
    let attachments: [IndexDocument.Attachment]

    /// The name and version.
    package var reference: ModelReference {
        ModelReference(name: record.name, selector: .version(record.version))
    }

    /// The documents to write to the model folder.
    func installReceipt(
        _ components: Set<String>?,
        from registry: String,
        keeping attachments: [ReleaseAttachment]
    ) -> InstallReceipt {
        let hasOwn = record.files.contains {
            $0.path.text.isExactly(InstalledRelease.signatureName)
        }
        return InstallReceipt(
            manifest: manifestBytes,
            record: record.canonicalBytes,
            blockTables: Dictionary(
                uniqueKeysWithValues: archives.map { ($0.entry.name, $0.tableBytes) }
            ),
            components: components,
            registry: registry,
            attachments: attachments,
            signature: hasOwn ? nil : attachments.lazy.compactMap(\.modelSignature).first
        )
    }
}

extension Registry {
    /// Resolves a reference and fetches the record of the release.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, `registry.version-not-found`,
    ///   `registry.digest-mismatch`, `registry.release-inconsistent`, or a code of the documents.
    package func resolve(_ reference: ModelReference) async throws -> RemoteRelease {
        let entry = try await entry(for: reference)
        let digest = reference.digest ?? entry.digest
        guard digest == entry.digest else {
            throw ZooError(
                .registryMismatch,
                "\(source.address) has digest \(entry.digest) for "
                    + "'\(reference.name):\(entry.version)', and the reference requires \(digest)",
                remedy: "do not use the release before you know why the digests differ"
            )
        }
        if let installed = try await installed(digest, reference.name),
            installed.record.version == entry.version
        {
            // Documents with these digests are here already: the index document was all to ask for.
            return RemoteRelease(
                digest: digest,
                manifestBytes: installed.manifest.canonicalBytes,
                manifest: installed.manifest,
                record: installed.record,
                archives: [],
                yank: entry.yank,
                attachments: entry.attachments
            )
        }
        let manifestBytes = try await manifest(digest, of: reference.name)
        let manifest = try ReleaseManifest(canonical: manifestBytes)
        let record = try manifest.kind.record(
            canonical: try await blob(
                manifest.record.digest,
                of: reference.name,
                limit: FormatLimits.record
            )
        )
        guard record.name == reference.name, record.version == entry.version else {
            throw inconsistent(
                "the index lists it as '\(reference.name):\(entry.version)', and its record says "
                    + "'\(record.name):\(record.version)'"
            )
        }
        return RemoteRelease(
            digest: digest,
            manifestBytes: manifestBytes,
            manifest: manifest,
            record: record,
            archives: [],
            yank: entry.yank,
            attachments: entry.attachments
        )
    }

    /// An installed release with a digest; nil when there is none that can be read.
    private func installed(
        _ digest: ContentDigest,
        _ name: ModelName
    ) async throws -> InstalledRelease? {
        guard let cache else { return nil }
        return try await BlockingWork.run { _ in
            // What is damaged here is read from the registry.
            (try? cache.releases(of: name))?.first { $0.digest == digest }
        }
    }

    /// Resolves a reference to a version.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found` or `registry.version-not-found`.
    package func entry(for reference: ModelReference) async throws -> IndexDocument.Entry {
        let index = try await index(of: reference.name)
        if let digest = reference.digest, case .channel(.stable) = reference.selector,
            let pinned = index.entries.first(where: { $0.digest == digest })
        {
            return pinned
        }
        guard let entry = index.entry(for: reference.selector) else {
            let versions = index.entries.filter { $0.yank == nil }.map(\.version.description)
            throw ZooError(
                .versionUnknown,
                "\(source.address) has no '\(reference)'",
                remedy: versions.isEmpty
                    ? "every version is yanked; choose another release"
                    : "choose from \(versions.joined(separator: ", "))"
            )
        }
        return entry
    }

    /// Fetches the block tables and checks them against the manifest and the record.
    ///
    /// - Throws: ``ZooError`` with code `registry.release-inconsistent`, or as ``resolve(_:)``.
    package func withTables(_ release: RemoteRelease) async throws -> RemoteRelease {
        RemoteRelease(
            digest: release.digest,
            manifestBytes: release.manifestBytes,
            manifest: release.manifest,
            record: release.record,
            archives: try await archives(of: release.manifest, release.record),
            yank: release.yank,
            attachments: release.attachments
        )
    }

    /// Fetches the block tables and checks them against the manifest and the record.
    func archives(
        of manifest: ReleaseManifest,
        _ record: any ArchivedRecord
    ) async throws -> [RemoteRelease.Archive] {
        var archives: [RemoteRelease.Archive] = []
        for entry in manifest.archives {
            let bytes = try await blob(
                entry.blocks.digest,
                of: record.name,
                limit: FormatLimits.blockTable
            )
            let table = try BlockTable(canonical: bytes)
            let layout = record.layout(of: entry.name)
            guard table.archiveDigest == entry.archive.digest,
                table.archiveSize == entry.archive.size,
                entry.archive.mediaType == ReleaseManifest.MediaType.archive(table.encoding)
            else { throw inconsistent("the block table of '\(entry.name)' is for another archive") }
            guard table.rawSize == layout.rawSize else {
                throw inconsistent(
                    "archive '\(entry.name)' has a raw size of \(table.rawSize) bytes, and the files "
                        + "in the record need \(layout.rawSize)"
                )
            }
            archives.append(
                RemoteRelease.Archive(entry: entry, table: table, tableBytes: bytes)
            )
        }
        let named = Set(manifest.archives.map(\.name))
        if let orphan = record.files.first(where: { !named.contains($0.archive) }) {
            throw inconsistent(
                "'\(orphan.path)' is in archive '\(orphan.archive)', which is missing"
            )
        }
        return archives
    }

    func inconsistent(_ what: String) -> ZooError {
        ZooError(
            .releaseInconsistent,
            "the release is inconsistent: \(what)",
            remedy: "do not use this release; tell the owner of \(source.address)"
        )
    }
}
