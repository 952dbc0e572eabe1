// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The input of packing: the folder of a model or data set, its description and facts about its weights.
package struct PackRequest: Sendable {
    /// The file name of the description of a data set.
    package static let dataSetDescription = "dataset.yaml"
    /// The file names of a description in a folder, in order of precedence.
    ///
    /// The author's file of a model precedes the one written by a conversion.
    package static let descriptionNames = modelDescriptions + [dataSetDescription]
    private static let modelDescriptions = ["model.yaml", RecordDraft.fileName]

    /// The kind of release to make.
    package var kind: ArtifactKind
    /// The folder; every file except the description is part of the release.
    package var source: String
    /// The path in `source` of the description of a data set; nil when it lies elsewhere.
    package var descriptionName: String?
    /// The description of the author (`model.yaml`, `dataset.yaml`) as JSON.
    package var description: JSONObject
    /// The byte offsets of tensors in each file with tensors, which become block boundaries.
    package var tensorStarts: [ReleasePath: [Int]]
    /// The facts about each component, by name.
    package var components: [String: RecordDraft.ComponentFacts]
    /// The encoding of the archives.
    package var encoding: ArchiveEncoding

    /// Creates a request.
    package init(
        kind: ArtifactKind = .model,
        source: String,
        descriptionName: String? = nil,
        description: JSONObject,
        tensorStarts: [ReleasePath: [Int]],
        components: [String: RecordDraft.ComponentFacts],
        encoding: ArchiveEncoding
    ) {
        self.kind = kind
        self.source = source
        self.descriptionName = descriptionName
        self.description = description
        self.tensorStarts = tensorStarts
        self.components = components
        self.encoding = encoding
    }

    /// Whether a file of the folder is a description, which is not part of the release.
    func isDescription(_ name: String) -> Bool {
        switch kind {
        case .model: Self.modelDescriptions.contains(name)
        case .dataset: name == Self.dataSetDescription || name == descriptionName
        }
    }
}

/// The result of packing.
package struct PackReport: Sendable, Equatable {
    /// The release.
    package let reference: ModelReference
    /// The kind of the release.
    package let kind: ArtifactKind
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The total size of the files in bytes.
    package let bytesTotal: Int
    /// The total size of the archives in bytes.
    package let bytesStored: Int
    /// Whether the registry already had this release.
    package let alreadyThere: Bool
    /// The types of what was attached to the release.
    package let attached: [String]
}

/// What packing a folder gives, without its archives.
package struct PackedRelease: Sendable {
    /// The record.
    package let record: any ArchivedRecord
    /// The manifest.
    package let manifest: ReleaseManifest

    /// The digest of the manifest.
    package var digest: ContentDigest { ContentDigest(of: manifest.canonicalBytes) }

    /// The descriptor of the manifest.
    package var descriptor: Descriptor { manifest.descriptor }
}
