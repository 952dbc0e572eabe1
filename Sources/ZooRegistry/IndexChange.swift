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
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, as
    ///   ``IndexDocument/applying(_:at:in:)``, or `io.*`; `CancellationError`.
    @discardableResult
    package func apply(
        _ change: IndexChange,
        at date: Timestamp,
        _ cancellation: Cancellation
    ) throws -> IndexDocument {
        try changeIndex(of: change.name, cancellation) { index in
            try index.applying(change, at: date, in: root)
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
        try documents.index(of: name)?.require(digest, of: version, in: root)
    }
}
