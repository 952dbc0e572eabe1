// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooClient
package import ZooCore
internal import ZooEval
internal import ZooFiles
package import ZooStore

/// The bytes that are evaluated or validated: an installed release, or a folder that is packed in memory, so
/// that the digest of its manifest is known.
package struct ValidationSubject: Sendable {
    /// The folder.
    package let folder: String
    /// The record.
    package let record: ReleaseRecord
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The installed release; nil for a folder that was packed in memory.
    package let release: InstalledRelease?

    /// An installed release.
    ///
    /// - Throws: ``ZooError`` with code `release.not-a-model` for a data set.
    package init(_ release: InstalledRelease) throws(ZooError) {
        folder = release.folder
        record = try release.record.requireModel()
        digest = release.digest
        self.release = release
    }

    /// A folder, with the digest that `ami-zoo pack` would give it.
    ///
    /// - Throws: as ``Packer/identify()``, and `release.not-a-model` for a data set.
    package init(packing request: PackRequest) async throws {
        let packed = try await Packer(request).identify()
        folder = request.source
        record = try packed.record.requireModel()
        digest = packed.digest
        release = nil
    }

    /// The name and version.
    package var reference: ModelReference {
        ModelReference(name: record.name, selector: .version(record.version))
    }

    /// Compares every byte of the folder with the record.
    ///
    /// - Parameter store: the local store, which may know the digest of the release.
    /// - Returns: what differs; no errors if every byte of every file is as released.
    /// - Throws: `CancellationError`, or ``ZooError`` when the folder cannot be read.
    package func verify(_ store: ModelStore) async throws -> [Finding] {
        guard let release else { return try await compare() }
        let subject = try await BlockingWork.run { _ in
            try VerificationSubject(release.folder, in: store)
        }
        guard subject.digest == digest else {
            return [
                Finding(
                    .notAsReleased,
                    path: InstalledRelease.manifestName,
                    message: "the manifest is no longer that of \(digest)",
                    remedy: "run 'ami-zoo repair \(reference)'"
                )
            ]
        }
        let verification = try await subject.verify(AnchorSearch(store: store), deep: false)
        guard verification.passed, verification.findings.isEmpty else {
            return verification.findings
        }
        return []
    }

    /// Hashes every file of a folder that is not installed.
    private func compare() async throws -> [Finding] {
        try await BlockingWork.run { [folder, record] cancellation in
            var findings: [Finding] = []
            for file in record.files {
                do {
                    _ = try VerifiedFile(file, in: folder, cancellation)
                } catch let error as ZooError {
                    findings.append(Finding(error, path: file.path.text))
                }
            }
            return findings
        }
    }

    /// Checks every byte.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.not-as-released`, or as ``verify(_:)``.
    package func requireIntact(_ store: ModelStore) async throws {
        let errors = try await verify(store).filter { $0.severity == .error }
        guard let first = errors.first else { return }
        throw ZooError(
            .notAsReleased,
            "'\(folder)' is not as released: \(first.message)",
            remedy: release == nil
                ? "do not change the folder while it is measured" : "run 'ami-zoo repair \(folder)'"
        )
    }
}
