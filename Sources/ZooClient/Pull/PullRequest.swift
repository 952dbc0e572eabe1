// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What to pull and where to.
package struct PullRequest: Sendable {
    /// The release.
    package var reference: ModelReference
    /// The components to fetch; nil for everything.
    package var components: Set<String>?
    /// A folder of the caller's choice instead of the store.
    package var destination: String?
    /// Whether the network may be used.
    package var offline = false
    /// Streams at once: more hide latency, and each needs about 8 MiB.
    package var streams = 4

    /// A pull of everything into the store.
    package init(_ reference: ModelReference) { self.reference = reference }
}

/// What a pull did.
package struct PullReport: Sendable, Equatable {
    /// The release, with its exact version.
    package let reference: ModelReference
    /// The digest of its manifest.
    package let digest: ContentDigest
    /// The model folder.
    package let path: String
    /// Bytes of the files that were asked for.
    package let bytesTotal: Int
    /// Bytes that came from the registry, documents not counted.
    package let bytesDownloaded: Int
    /// Bytes that were on this machine already: from an interrupted pull, or from another version.
    package let bytesReused: Int
    /// Whether there was nothing to do.
    package let alreadyInstalled: Bool
    /// Set when the publisher withdrew the version; it was asked for by its exact name.
    package let yank: IndexDocument.Yank?
}

/// What happens during a pull, for whoever shows it.
package enum PullEvent: Sendable {
    /// The release is known.
    case resolved(name: ModelName, version: SemanticVersion, digest: ContentDigest)
    /// Another process is pulling the same release; this one waits for it.
    case waiting
    /// So much of the raw bytes is in place.
    case progress(Progress)
    /// A block was damaged and is fetched again.
    case damaged(String)
    /// All bytes are here and are being made durable.
    case finishing

    /// How far a pull is.
    package struct Progress: Sendable, Equatable {
        /// Raw bytes of all blocks that are needed.
        package let total: Int
        /// Raw bytes verified and in place.
        package let done: Int
        /// Of those, bytes that were on this machine already.
        package let reused: Int
    }
}
