// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// What a user wants verified: an installed release, or a folder that a conversion made.
package struct VerificationSubject: Sendable {
    /// What the folder holds.
    package enum Content: Sendable {
        /// A release, with its manifest.
        case release(InstalledRelease)
        /// A folder that a conversion made, with its record.
        case converted(ReleaseRecord)
        /// A release whose documents do not fit together, or cannot be read.
        case damaged(ZooError)
    }

    /// What to call it.
    package let name: String
    /// The model folder.
    package let folder: String
    /// What the folder holds.
    package let content: Content

    /// Finds what a user means: an installed release first, then a folder.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with code `store.not-installed`, `store.not-a-release` or `io.*` when there
    ///   is nothing to verify.
    package init(_ text: String, in store: ModelStore) throws(ZooError) {
        if !text.hasPrefix("/"), !text.hasPrefix("."),
            let reference = try? ModelReference(parsing: text)
        {
            do throws(ZooError) {
                try self.init(folder: try store.folder(of: reference), name: text)
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
                remedy: "'ami-zoo cache ls' shows what is installed"
            )
        }
        try self.init(folder: folder, name: text)
    }

    private init(folder: String, name: String) throws(ZooError) {
        self.folder = folder
        let recordPath = "\(folder)/\(RecordDraft.fileName)"
        let isRelease = try FileSystem.status("\(folder)/\(InstalledRelease.receiptFolder)") != nil
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
            content = .release(release)
            self.name = release.reference.description
        } catch {
            guard isRelease, error.code.category != .inputOutput else { throw error }
            content = .damaged(error)
            self.name = name
        }
    }

    /// The release record; nil when it cannot be used.
    package var record: ReleaseRecord? {
        switch content {
        case .release(let release): release.record
        case .converted(let record): record
        case .damaged: nil
        }
    }

    /// The digest that names what is checked: of the manifest, or of the record.
    package var digest: ContentDigest? {
        switch content {
        case .release(let release): release.digest
        case .converted(let record): record.digest
        case .damaged: nil
        }
    }

    /// Looks at every byte.
    ///
    /// - Parameters:
    ///   - search: where to look for what vouches for a manifest.
    ///   - deep: also hash each file whole against the record.
    /// - Returns: what was found.
    /// - Throws: as ``ReleaseVerifier/verify(deep:)`` and ``AnchorSearch/anchors(of:)``.
    package func verify(_ search: AnchorSearch, deep: Bool) async throws -> Verification {
        switch content {
        case .release(let release):
            try await ReleaseVerifier(
                release,
                anchors: try await search.anchors(of: release),
                workers: BlockingWork.processors
            ).verify(deep: deep)
        case .converted(let record):
            try await FolderVerifier(folder: folder, record: record)
                .verify(requested: search.requested)
        case .damaged(let error): Verification(damaged: error, InstalledRelease.receiptFolder)
        }
    }
}
