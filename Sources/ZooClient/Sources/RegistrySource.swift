// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a registry serves, in the terms of the format and not of any layout: a registry folder, a web
/// server with that layout and an OCI registry each find these things in their own way.
///
/// A source promises nothing about content; everything that it delivers is verified above it
/// (``Registry``).
package protocol RegistrySource: Sendable {
    /// The address, for people.
    var address: String { get }

    /// A document that changes while its name stays.
    ///
    /// - Parameters:
    ///   - document: which document.
    ///   - entityTag: the tag of a remembered copy, to be told when it is still current.
    /// - Returns: the document, or that the remembered copy is current.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such document.
    func document(
        _ document: RegistryDocument,
        entityTag: String?
    ) async throws -> SourceDocument

    /// A manifest.
    ///
    /// - Parameters:
    ///   - digest: its digest.
    ///   - name: the model whose release it is; a registry keeps manifests by repository.
    /// - Returns: the bytes, unverified.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such manifest.
    func manifest(_ digest: ContentDigest, of name: ModelName) async throws -> [UInt8]

    /// A small blob: a record or a block table.
    ///
    /// - Parameters:
    ///   - digest: its digest.
    ///   - name: the model that it belongs to.
    ///   - limit: the most bytes to accept.
    /// - Returns: the bytes, unverified.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such blob.
    func blob(_ digest: ContentDigest, of name: ModelName, limit: Int) async throws -> [UInt8]

    /// Part of a large blob, delivered in order, each byte once.
    ///
    /// - Parameters:
    ///   - blob: the digest and the size of the whole blob.
    ///   - name: the model that it belongs to.
    ///   - range: the part; nil for everything.
    ///   - sink: takes the bytes on a thread that may block; its error ends the transfer.
    /// - Throws: what `sink` throws, or ``ZooError``; code `transport.ranges-ignored` when only the
    ///   whole can be had.
    func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws
}

/// A document of a registry that changes.
package enum RegistryDocument: Hashable, Sendable {
    /// What the registry is, and its mirrors.
    case description
    /// The list of all releases.
    case contents
    /// The versions and channels of a model.
    case index(ModelName)

    /// Its path in a registry folder; also what remembered copies are filed under.
    package var path: String {
        switch self {
        case .description: RegistryLayout.description
        case .contents: RegistryLayout.imageIndex
        case .index(let name): RegistryLayout.index(name)
        }
    }

    /// The most bytes to accept.
    package var limit: Int {
        switch self {
        case .description: FormatLimits.registryDescription
        case .contents: FormatLimits.imageIndex
        case .index: FormatLimits.indexDocument
        }
    }
}

/// A document as a source delivers it.
package enum SourceDocument: Sendable {
    /// The remembered copy is current.
    case unchanged
    /// The document, with its entity tag where the source has one.
    case fetched([UInt8], entityTag: String?)
}
