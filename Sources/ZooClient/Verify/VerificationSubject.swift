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
        case damaged(ZooError)
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
    /// - Throws: ``ZooError`` with code `store.not-installed`, `store.not-a-release` or `io.*` when it is
    ///   neither.
    package init(_ text: String, in store: ModelStore) throws(ZooError) {
        if !text.hasPrefix("/"), !text.hasPrefix("."),
            let reference = try? ModelReference(parsing: text)
        {
            do throws(ZooError) {
                try self.init(
                    folder: try store.folder(of: reference),
                    name: text,
                    reference: reference,
                    isStored: true
                )
                return
            } catch {
                guard error.code == .notInstalled, FileSystem.isFolder(text) else { throw error }
            }
        }
        let folder = FileSystem.absolute(text)
        guard FileSystem.isFolder(folder) else {
            throw ZooError(
                .fileMissing,
                "'\(text)' is neither an installed model nor a folder",
                remedy: "list the installed models with 'ami-zoo cache ls'"
            )
        }
        try self.init(
            folder: folder,
            name: text,
            reference: nil,
            isStored: store.owns(folder)
        )
    }

    private init(
        folder: String,
        name: String,
        reference: ModelReference?,
        isStored: Bool
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
        do throws(ZooError) {
            let release = try InstalledRelease(folder: folder)
            if let reference { try release.requireIdentity(of: reference) }
            content = .release(release)
            self.name = release.reference.description
        } catch {
            guard isRelease, error.code.category != .inputOutput else { throw error }
            content = .damaged(error)
            self.name = name
        }
    }

    /// The release record; nil when it is invalid.
    package var record: ReleaseRecord? {
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
            return try await ReleaseVerifier(
                release,
                anchors: anchors.all,
                workers: BlockingWork.processors
            ).verify(deep: deep).adding(anchors.findings + portion)
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
        case .damaged(let error):
            return Verification(damaged: error, InstalledRelease.receiptFolder)
        }
    }
}
