// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// The subject of a verification: an installed release or a converted folder.
package struct VerificationSubject: Sendable {
    /// The content of the folder.
    package enum Content: Sendable {
        /// A release, with its manifest.
        case release(InstalledRelease)
        /// A converted folder, with its record.
        case converted(ReleaseRecord)
        /// A release whose documents are inconsistent or unreadable.
        case damaged(ZooError, canRepair: Bool)
    }

    /// The name for messages.
    package let name: String
    /// The model folder.
    package let folder: String
    /// The content of the folder.
    package let content: Content

    /// Resolves the user's argument to an installed release, or else to a folder.
    ///
    /// Blocking.
    ///
    /// - Throws: as ``all(_:only:in:)``.
    package init(_ text: String, in store: ModelStore) throws(ZooError) {
        self = try Self.all(text, in: store)[0]
    }

    /// Resolves the user's argument to all installed parts of a release, or else to a folder.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - text: a reference or a folder.
    ///   - components: selects the parts that hold these components, if there are any.
    ///   - store: the local store.
    /// - Returns: the whole release before its parts; never empty.
    /// - Throws: ``ZooError`` with code `store.not-installed`, `store.not-a-release` or `io.*` when it is
    ///   neither.
    package static func all(
        _ text: String,
        only components: Set<String>? = nil,
        in store: ModelStore
    ) throws(ZooError) -> [VerificationSubject] {
        let argument = try ModelArgument(text, holding: components, in: store)
        var subjects: [VerificationSubject] = []
        for folder in argument.folders {
            var obstacle: ZooError?
            do throws(ZooError) {
                _ = try RepairTarget(folder: folder, reference: argument.reference, in: store)
            } catch {
                obstacle = error
            }
            subjects.append(
                try VerificationSubject(
                    folder: folder,
                    name: text,
                    reference: argument.reference,
                    isStored: store.owns(folder),
                    repairFailure: obstacle
                )
            )
        }
        return subjects
    }

    private init(
        folder: String,
        name: String,
        reference: ModelReference?,
        isStored: Bool,
        repairFailure: ZooError?
    ) throws(ZooError) {
        self.folder = folder
        let recordPath = "\(folder)/\(RecordDraft.fileName)"
        // The store holds releases only: without its manifest, one is damaged and not a conversion.
        let receipts = try FileSystem.status("\(folder)/\(InstalledRelease.receiptFolder)")
        let isRelease = isStored || receipts != nil
        if !isRelease, try FileSystem.status(recordPath) != nil {
            let record = try ReleaseRecord(
                canonical: try FileSystem.document(recordPath, limit: FormatLimits.record)
            )
            content = .converted(record)
            self.name = "\(record.name):\(record.version)"
            return
        }
        let release: InstalledRelease
        do throws(ZooError) {
            release = try InstalledRelease(folder: folder)
        } catch {
            // A link in place of a document is damage, and a disk that fails is not.
            guard isRelease, error.code.category != .inputOutput || error.code == .notAFile else {
                throw error
            }
            let remedy = repairFailure?.remedy ?? error.remedy
            content = .damaged(
                ZooError(error.code, error.message, remedy: remedy),
                canRepair: repairFailure == nil
            )
            self.name = name
            return
        }
        self.name = release.reference.description
        do throws(ZooError) {
            if let reference { try release.requireIdentity(of: reference) }
            content = .release(release)
        } catch {
            content = .damaged(error, canRepair: false)
        }
    }

    /// The release record; nil when it is invalid.
    package var record: (any ArchivedRecord)? {
        switch content {
        case .release(let release): release.record
        case .converted(let record): record
        case .damaged: nil
        }
    }

    /// The digest of the manifest, or of the record of a converted folder.
    package var digest: ContentDigest? {
        switch content {
        case .release(let release): release.digest
        case .converted(let record): record.digest
        case .damaged: nil
        }
    }

    /// Verifies every byte.
    ///
    /// - Parameters:
    ///   - search: finds the anchors of a manifest.
    ///   - components: the components that must be there; nil for the whole release, or for what the
    ///     store recorded.
    ///   - deep: also hash each file as a whole against the record.
    /// - Returns: the result.
    /// - Throws: as ``ReleaseVerifier/verify(deep:)`` and ``AnchorSearch/anchors(of:)``.
    package func verify(
        _ search: AnchorSearch,
        only components: Set<String>? = nil,
        deep: Bool
    ) async throws -> Verification {
        switch content {
        case .release(let release):
            let anchors = try await search.anchors(of: release)
            let portion = try PortionCheck(
                release: release,
                wanted: components,
                isRecorded: anchors.all.contains { $0.receipt != nil },
                isPinned: !search.requested.isEmpty || search.registry != nil
            ).findings()
            let repair = search.advice(for: folder).description
            let kept = try await BlockingWork.run { [folder] _ in
                KeptAttachments(in: folder, of: release.digest, repair: repair)
            }
            return try await ReleaseVerifier(
                release,
                anchors: anchors.all,
                workers: BlockingWork.processors,
                repair: repair
            ).verify(deep: deep).adding(
                anchors.findings + portion + kept.findings,
                (release.record as? ReleaseRecord).map { kept.evidence(of: $0, release.digest) }
            )
        case .converted where search.registry != nil:
            return Verification(
                damaged: ZooError(
                    .notARelease,
                    "the folder has no manifest that could be compared with a registry",
                    remedy: "leave out --registry to compare the folder with its own record"
                ),
                RecordDraft.fileName
            )
        case .converted(let record):
            try record.requireComponents(components)
            return try await FolderVerifier(folder: folder, record: record)
                .verify(requested: search.requested)
                // What was never released has no evidence, whatever its record claims.
                .adding([], .absent)
        case .damaged(let error, let canRepair):
            let remedy = canRepair ? search.advice(for: folder).description : error.remedy
            return Verification(
                damaged: ZooError(error.code, error.message, remedy: remedy),
                InstalledRelease.receiptFolder
            )
        }
    }
}
