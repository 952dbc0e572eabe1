// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooStore

/// The result of verifying a file that is to be an archive of a release.
package struct ArchiveVerification: Sendable {
    /// The path of the file.
    package let path: String
    /// The digest of the file.
    package let digest: ContentDigest
    /// What the digest was compared with; the digest in it is that of an archive.
    package let anchor: VerificationAnchor
    /// The archive of a release that the file must be; nil when only its digest was given.
    package let expected: ArchiveExpectation?
    /// What vouches for the release of ``expected``; nil when nothing says which release that is.
    package let release: VerificationAnchor?
    /// The archive, when every byte of it and of its files was verified.
    package let verified: VerifiedArchive?
    /// What is wrong.
    package let findings: [Finding]

    /// Whether every byte of the file is as expected.
    package var passed: Bool {
        findings.isEmpty && digest == anchor.digest && (expected == nil || verified != nil)
    }

    /// Whether an argument of `verify` means an archive: it leads to a file, or is named like one.
    package static func isMeant(by text: String) -> Bool {
        let kind = (try? FileSystem.followedStatus(FileSystem.absolute(text)))?.kind
        return kind.map { $0 == .file } ?? (text.hasSuffix(".tar") || text.hasSuffix(".tar.zst"))
    }

    /// Verifies a file.
    ///
    /// - Parameters:
    ///   - text: the path; symbolic links are followed.
    ///   - release: the release whose archive it must be, and the registry that has it; nil to look in
    ///     the store.
    ///   - requested: the digest that the archive, or the manifest of its release, must have; nil for none.
    ///   - store: the local store.
    /// - Returns: the result.
    /// - Throws: ``ZooError`` with code `verify.archive-unknown` when nothing says what the file must be,
    ///   with a code of the registry or the store, or `io.*`; `CancellationError`.
    package static func run(
        _ text: String,
        release: (reference: ModelReference, registry: Registry)?,
        requested: ContentDigest?,
        in store: ModelStore
    ) async throws -> ArchiveVerification {
        let path = FileSystem.realPath(FileSystem.absolute(text))
        let digest = try await BlockingWork.run { try FileDigest.compute(path, $0) }
        var anchor: VerificationAnchor?
        var expected: ArchiveExpectation?
        if let (reference, registry) = release {
            let found = try await registry.withTables(try await registry.resolve(reference))
            expected = try await BlockingWork.run { _ in try Self.choose(path, digest, in: found) }
            let listed: VerificationAnchor.Kind = try registry.isSigned() ? .tuf : .registry
            anchor = expected.map {
                let isPinned = reference.digest != nil
                return VerificationAnchor(
                    isPinned ? .requested : listed,
                    $0.archive.archive.digest,
                    source: isPinned ? reference.description : registry.source.address
                )
            }
        } else {
            (expected, anchor) = try await BlockingWork.run { _ in installed(digest, in: store) }
        }
        var vouching = anchor
        if let requested {
            // The digest of the release's manifest vouches for the digest of the archive in it.
            let isOfRelease = expected?.release == requested
            let wanted = isOfRelease ? expected?.archive.archive.digest : nil
            anchor = VerificationAnchor(.requested, wanted ?? requested, source: "--digest")
            if isOfRelease { vouching = anchor }
        }
        guard let anchor else {
            throw ZooError(
                .archiveUnknown,
                "'\(text)' has the digest \(digest), and no installed release has such an archive",
                remedy:
                    "name the release with '--release NAME:VERSION', or the digest of the archive "
                    + "with '--digest sha256:…'"
            )
        }
        return try await BlockingWork.run { [expected, vouching] cancellation in
            try ArchiveVerification(path, digest, anchor, expected, vouching, cancellation)
        }
    }

    private init(
        _ path: String,
        _ digest: ContentDigest,
        _ anchor: VerificationAnchor,
        _ expected: ArchiveExpectation?,
        _ release: VerificationAnchor?,
        _ cancellation: Cancellation
    ) throws {
        var (verified, findings) = (VerifiedArchive?.none, [Finding]())
        if let expected {
            do {
                verified = try VerifiedArchive(path, of: expected, cancellation)
            } catch let error as ZooError where error.code.category != .inputOutput {
                findings = try expected.differences(in: path, cancellation)
                if findings.isEmpty { findings = [Finding(error, path: path)] }
            }
        }
        if digest != anchor.digest, findings.isEmpty {
            findings.append(
                Finding(
                    .blobMismatch,
                    path: path,
                    message: "the file has the digest \(digest), and \(anchor.digest) was expected",
                    remedy: "fetch the archive again, or check which archive it is"
                )
            )
        }
        (self.path, self.digest, self.anchor) = (path, digest, anchor)
        (self.expected, self.release) = (expected, release)
        // Bytes that are not what was asked for prove nothing of it.
        self.verified = findings.isEmpty ? verified : nil
        self.findings = findings
    }

    // MARK: Expectations

    /// The archive of a release that a file is, or was before it was damaged.
    private static func choose(
        _ path: String,
        _ digest: ContentDigest,
        in release: RemoteRelease
    ) throws(ZooError) -> ArchiveExpectation {
        let size = try OpenFile(path, .readFollowing).status().size
        let archives = release.archives
        // A damaged archive is most likely the one of the same size, or else of the nearest.
        guard
            let best = archives.first(where: { $0.entry.archive.digest == digest })
                ?? archives.min(by: {
                    abs($0.table.archiveSize - size) < abs($1.table.archiveSize - size)
                })
        else {
            throw ZooError(
                .archiveUnknown,
                "the release \(release.reference) has no archives",
                remedy: "name another release"
            )
        }
        return ArchiveExpectation(
            release: release.digest,
            record: release.record,
            archive: best.entry,
            archives: archives.count,
            table: best.table
        )
    }

    /// The archive of an installed release with a digest, and what vouches for it.
    private static func installed(
        _ digest: ContentDigest,
        in store: ModelStore
    ) -> (ArchiveExpectation?, VerificationAnchor?) {
        // A release that cannot be read vouches for nothing.
        for release in (try? store.releases()) ?? [] {
            guard
                let entry = release.manifest.archives.first(where: { $0.archive.digest == digest }),
                let table = try? release.blockTable(of: entry)
            else { continue }
            let recorded = (try? store.receipt(of: release.folder)) ?? nil
            let isRecorded = recorded?.digest == release.digest
            return (
                ArchiveExpectation(
                    release: release.digest,
                    record: release.record,
                    archive: entry,
                    archives: release.manifest.archives.count,
                    table: table
                ),
                VerificationAnchor(
                    isRecorded ? .store : .folder,
                    digest,
                    source: isRecorded ? store.root : release.manifestPath
                )
            )
        }
        return (nil, nil)
    }
}
