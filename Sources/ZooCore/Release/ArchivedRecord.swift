// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What the records of models and of data sets have in common: an identity, and files in archives.
public protocol ArchivedRecord: Sendable {
    /// The model or data set.
    var name: ModelName { get }
    /// The version.
    var version: SemanticVersion { get }
    /// When the release was made.
    var created: Timestamp { get }
    /// An SPDX licence expression.
    var licence: String { get }
    /// Every file.
    var files: [ReleaseRecord.File] { get }
    /// The stored form.
    var canonicalBytes: [UInt8] { get }
}

extension ArchivedRecord {
    /// Bytes of all files.
    public var totalSize: Int { files.reduce(0) { $0 + $1.size } }

    /// The digest of the stored form.
    public var digest: ContentDigest { ContentDigest(of: canonicalBytes) }

    /// The layout of one archive.
    public func layout(of archive: String) -> ArchiveLayout {
        ArchiveLayout(files: files.filter { $0.archive == archive }.map { ($0.path, $0.size) })
    }
}

extension ReleaseRecord: ArchivedRecord {}
extension DataSetRecord: ArchivedRecord {}

extension ArtifactKind {
    /// Reads the stored record of an artifact of this kind.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `release.*` code.
    public func record(canonical bytes: [UInt8]) throws(ZooError) -> any ArchivedRecord {
        switch self {
        case .model: try ReleaseRecord(canonical: bytes)
        case .dataset: try DataSetRecord(canonical: bytes)
        }
    }
}
