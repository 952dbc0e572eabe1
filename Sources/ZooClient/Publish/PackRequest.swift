// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The input of packing: a model folder, its description and facts about its weights.
package struct PackRequest: Sendable {
    /// The file names of a description in a model folder, in order of precedence.
    ///
    /// The author's file precedes the one written by a conversion; neither is part of the release.
    package static let descriptionNames = ["model.yaml", RecordDraft.fileName]

    /// The model folder; every file except the description is part of the release.
    package var source: String
    /// The description of the author (`model.yaml`) as JSON.
    package var description: JSONObject
    /// The byte offsets of tensors in each file with tensors, which become block boundaries.
    package var tensorStarts: [ReleasePath: [Int]]
    /// The facts about each component, by name.
    package var components: [String: RecordDraft.ComponentFacts]
    /// The encoding of the archives.
    package var encoding: ArchiveEncoding

    /// Creates a request.
    package init(
        source: String,
        description: JSONObject,
        tensorStarts: [ReleasePath: [Int]],
        components: [String: RecordDraft.ComponentFacts],
        encoding: ArchiveEncoding
    ) {
        self.source = source
        self.description = description
        self.tensorStarts = tensorStarts
        self.components = components
        self.encoding = encoding
    }
}

/// The result of packing.
package struct PackReport: Sendable, Equatable {
    /// The release.
    package let reference: ModelReference
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The total size of the files in bytes.
    package let bytesTotal: Int
    /// The total size of the archives in bytes.
    package let bytesStored: Int
    /// Whether the registry already had this release.
    package let alreadyThere: Bool
}
