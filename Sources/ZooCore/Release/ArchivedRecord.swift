// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What the records of models and of data sets have in common: an identity, and files in archives.
public protocol ArchivedRecord: Sendable {
    /// The kind of the release.
    var kind: ArtifactKind { get }
    /// The model or data set.
    var name: ModelName { get }
    /// The version.
    var version: SemanticVersion { get }
    /// When the release was made.
    var created: Timestamp { get }
    /// A one-sentence description.
    var summary: String { get }
    /// The authors.
    var authors: [String] { get }
    /// An SPDX licence expression.
    var licence: String { get }
    /// The URL of the project page.
    var homepage: String? { get }
    /// The parts that can be used separately; none in a data set.
    var components: [ReleaseRecord.Component] { get }
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

    /// The files of `components`, and the files that belong to no component.
    public func files(of components: Set<String>) -> [ReleaseRecord.File] {
        let owned = Set(self.components.flatMap(\.files))
        let wanted = Set(self.components.filter { components.contains($0.name) }.flatMap(\.files))
        return files.filter { wanted.contains($0.path) || !owned.contains($0.path) }
    }
}

extension ReleaseRecord: ArchivedRecord {
    /// A model.
    public var kind: ArtifactKind { .model }
}

extension DataSetRecord: ArchivedRecord {
    /// A data set.
    public var kind: ArtifactKind { .dataset }
    /// Empty: a data set is fetched as a whole.
    public var components: [ReleaseRecord.Component] { [] }
}

extension ArchivedRecord {
    /// The record of a model, for what only a model can be used for.
    ///
    /// - Throws: ``ZooError`` with code `release.not-a-model`.
    public func requireModel() throws(ZooError) -> ReleaseRecord {
        if let model = self as? ReleaseRecord { return model }
        throw ZooError(
            .notAModel,
            "'\(name):\(version)' is a \(kind.noun), and a model is needed",
            remedy: "name a model; 'ami-zoo list --kind model' shows them"
        )
    }

    /// The record of a data set, for what only a data set can be used for.
    ///
    /// - Throws: ``ZooError`` with code `release.not-a-dataset`.
    public func requireDataSet() throws(ZooError) -> DataSetRecord {
        if let data = self as? DataSetRecord { return data }
        throw ZooError(
            .notADataSet,
            "'\(name):\(version)' is a \(kind.noun), and a data set is needed",
            remedy: "name a data set; 'ami-zoo list --kind dataset' shows them"
        )
    }
}

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
