// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a server accepts beside releases.
package struct ServerOptions: Sendable {
    /// Whether it changes nothing, whatever the sender may do.
    package var isReadOnly: Bool
    /// Whether it stores any OCI artifact, moving tags and SHA-512 digests.
    package var acceptsAnyArtifact: Bool
    /// Whether it deletes manifests and blobs for those who may.
    package var allowsDeletion: Bool

    /// Creates options.
    package init(
        isReadOnly: Bool = false,
        acceptsAnyArtifact: Bool = false,
        allowsDeletion: Bool = false
    ) {
        self.isReadOnly = isReadOnly
        self.acceptsAnyArtifact = acceptsAnyArtifact
        self.allowsDeletion = allowsDeletion
    }
}
