// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// A change of what the index document of a model says about its versions.
package struct IndexChange: Sendable, Equatable {
    /// What changes.
    package enum Kind: Sendable, Equatable {
        /// A version is yanked.
        case yank(SemanticVersion, reason: String)
        /// The yank of a version is taken back.
        case unyank(SemanticVersion)
        /// Versions are added to a channel and removed from it.
        case channel(ChannelName, adding: Set<SemanticVersion>, removing: Set<SemanticVersion>)
    }

    /// The model or data set.
    package let name: ModelName
    /// What changes.
    package let kind: Kind
    /// The digest that the version must have; nil for any.
    package let digest: ContentDigest?

    /// Creates a change.
    package init(_ name: ModelName, _ kind: Kind, digest: ContentDigest? = nil) {
        self.name = name
        self.kind = kind
        self.digest = digest
    }

    /// The version that changes; nil for a change of a channel.
    package var version: SemanticVersion? {
        switch kind {
        case .yank(let version, _), .unyank(let version): version
        case .channel: nil
        }
    }

    /// The name of the change in logs.
    package var action: String {
        switch kind {
        case .yank: "yank"
        case .unyank: "unyank"
        case .channel: "channel"
        }
    }
}

extension RegistryFolder {
    /// Changes the index document of a model.
    ///
    /// - Parameters:
    ///   - change: the change.
    ///   - date: the current time.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: the new index document.
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch` when the version has another digest,
    ///   or as ``yank(_:_:reason:at:_:)`` and ``changeChannel(_:_:adding:removing:_:)``.
    package func apply(
        _ change: IndexChange,
        at date: Timestamp,
        _ cancellation: Cancellation
    ) throws -> IndexDocument {
        if let version = change.version {
            try require(change.digest, of: change.name, version)
        }
        switch change.kind {
        case .yank(let version, let reason):
            return try yank(change.name, version, reason: reason, at: date, cancellation)
        case .unyank(let version): return try unyank(change.name, version, cancellation)
        case .channel(let channel, let added, let removed):
            return try changeChannel(
                change.name,
                channel,
                adding: added,
                removing: removed,
                cancellation
            )
        }
    }

    /// Checks the digest of a version; one that does not exist is for the change to report.
    ///
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`.
    package func require(
        _ digest: ContentDigest?,
        of name: ModelName,
        _ version: SemanticVersion
    ) throws(ZooError) {
        guard let digest,
            let found = try documents.index(of: name)?.entry(for: .version(version)),
            found.digest != digest
        else { return }
        throw ZooError(
            .registryMismatch,
            "'\(name):\(version)' has digest \(found.digest) in '\(root)', and the reference "
                + "requires \(digest)",
            remedy: "check which release is meant; nothing was changed"
        )
    }
}
