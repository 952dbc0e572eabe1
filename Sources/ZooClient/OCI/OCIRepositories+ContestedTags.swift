// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Tags that several clients change: the index document of a model, and the referrers of a manifest.
///
/// A registry has no conditional writes: a client that read the tag before this one wrote it replaces the
/// new content unknowingly. Who changes such a tag therefore reads it again after ``settling`` and makes the
/// change again if it is gone.
extension OCIRepositories {
    /// The number of times that a change is written before it is given up.
    static let contestedWrites = 10

    /// The time after which a written tag is read again.
    ///
    /// Another client writes within two requests of its last read, so after this time the change was
    /// replaced, and is made again, or stays.
    private static let settling = Duration.seconds(1)

    /// Writes a tag, and waits until no other client can replace it unknowingly; does nothing when another
    /// client was faster.
    ///
    /// - Parameters:
    ///   - tag: the tag.
    ///   - old: the digest of what the change was made to; nil when there was nothing.
    ///   - manifest: the new manifest or index.
    ///   - type: its media type.
    ///   - name: the model whose repository is meant.
    /// - Throws: ``ZooError`` with code `transport.*`; `CancellationError`.
    func replace(
        _ tag: String,
        _ old: ContentDigest?,
        with manifest: [UInt8],
        _ type: String,
        of name: ModelName
    ) async throws {
        let current = try await self.manifest(tag, of: name, limit: FormatLimits.artifactManifest)
        // Read again just before writing, so that little time is left for others.
        if current.map({ ContentDigest(of: $0) }) == old {
            try await push(
                manifest,
                type,
                as: tag,
                of: name,
                // Sent again later, it could replace what others wrote meanwhile.
                isIdempotent: false
            )
            try await Task.sleep(for: Self.settling)
        }
        // Clients that wrote at the same time do not do so again.
        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<500)))
    }
}
