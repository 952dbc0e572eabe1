// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Bytes of a registry by path: the one thing that folders and web servers have in common.
///
/// A source promises nothing about content; everything it delivers is verified above it.
package protocol RegistrySource: Sendable {
    /// The address, for people.
    var address: String { get }

    /// A small document.
    ///
    /// - Parameters:
    ///   - path: the path inside the registry, ``RegistryLayout``.
    ///   - limit: the most bytes to accept.
    ///   - entityTag: the tag of a remembered copy, to be told when it is still current.
    /// - Returns: the document, or that the remembered copy is current.
    /// - Throws: ``ZooError`` of category `notFound` when there is no such document.
    func document(
        _ path: String,
        limit: Int,
        entityTag: String?
    ) async throws -> SourceDocument

    /// Part of a blob, delivered in order, each byte once.
    ///
    /// - Parameters:
    ///   - path: the path inside the registry.
    ///   - size: the size of the whole blob.
    ///   - range: the part; nil for everything.
    ///   - sink: takes the bytes on a thread that may block; its error ends the transfer.
    /// - Throws: what `sink` throws, or ``ZooError``; code `transport.ranges-ignored` when only the
    ///   whole can be had.
    func stream(
        _ path: String,
        size: Int,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws
}

/// A document as a source delivers it.
package enum SourceDocument: Sendable {
    /// The remembered copy is current.
    case unchanged
    /// The document, with its entity tag where the source has one.
    case fetched([UInt8], entityTag: String?)
}
