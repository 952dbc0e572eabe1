// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The release to pull and its destination.
package struct PullRequest: Sendable {
    /// The release.
    package var reference: ModelReference
    /// The components to fetch; nil for the whole release.
    package var components: Set<String>?
    /// The destination folder; nil for the store.
    package var destination: String?
    /// Whether the network may be used.
    package var offline = false
    /// The licences that the user accepted, where a licence restricts use.
    package var acceptedLicences: Set<String> = []
    /// The number of concurrent streams, each of which needs about 8 MiB of memory; nil for a number
    /// that adapts to the line.
    package var streams: Int?
    /// The missing bytes of an archive from which on mirrors are used from the start; their list costs a
    /// request.
    package var mirroredSize = defaultMirroredSize

    static let defaultMirroredSize = 64 << 20

    /// Creates a request.
    package init(_ reference: ModelReference) { self.reference = reference }
}

/// The result of a pull.
package struct PullReport: Sendable, Equatable {
    /// The release, with its exact version.
    package let reference: ModelReference
    /// The kind of the release.
    package let kind: ArtifactKind
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The folder of the model or data set.
    package let path: String
    /// The total size of the requested files in bytes.
    package let bytesTotal: Int
    /// The bytes fetched from the registry, excluding documents.
    package let bytesDownloaded: Int
    /// The bytes reused from an interrupted pull or from another version.
    package let bytesReused: Int
    /// Whether the release was already installed.
    package let alreadyInstalled: Bool
    /// The yank of the version, which an exact version in the reference overrides; nil if not yanked.
    package let yank: IndexDocument.Yank?
}

/// A progress event of a pull.
package enum PullEvent: Sendable {
    /// The reference was resolved.
    case resolved(name: ModelName, version: SemanticVersion, digest: ContentDigest)
    /// Another process is pulling the same release; this process waits for it.
    case waiting
    /// The number of raw bytes in place.
    case progress(Progress)
    /// A block arrived damaged and is fetched again.
    case damaged(String)
    /// Something besides the files could not be fetched, in a sentence.
    case note(String)
    /// All bytes are fetched and are being synced to disk.
    case finishing

    /// The progress of a pull.
    package struct Progress: Sendable, Equatable {
        /// The raw bytes of all needed blocks.
        package let total: Int
        /// The raw bytes that are verified and in place.
        package let done: Int
        /// The part of `done` that was already on this machine.
        package let reused: Int
    }
}
