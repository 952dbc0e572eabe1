// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a release is made from: a model folder, and what its author and its weights say about it.
package struct PackRequest: Sendable {
    /// The names of a description inside a model folder, what a person wrote before what a conversion
    /// wrote; neither becomes part of the release.
    package static let descriptionNames = ["model.yaml", RecordDraft.fileName]

    /// The model folder; everything in it but the description becomes part of the release.
    package var source: String
    /// What the author wrote about the model (`model.yaml`), as JSON.
    package var description: JSONObject
    /// Where tensors begin inside each file that holds tensors: blocks are cut there.
    package var tensorStarts: [ReleasePath: [Int]]
    /// Facts by component name.
    package var components: [String: RecordDraft.ComponentFacts]
    /// How archives are stored.
    package var encoding: ArchiveEncoding

    /// A request to pack a folder.
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

/// What packing made.
package struct PackReport: Sendable, Equatable {
    /// The release.
    package let reference: ModelReference
    /// The digest of its manifest.
    package let digest: ContentDigest
    /// Bytes of its files.
    package let bytesTotal: Int
    /// Bytes of its archives.
    package let bytesStored: Int
    /// Whether the very same release was there already.
    package let alreadyThere: Bool
}
