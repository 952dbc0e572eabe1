// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a server accepts.
package struct ServerOptions: Sendable {
    /// Whether a server changes its folder.
    package enum Writing: Sendable {
        /// Not at all, whatever the sender of a request may do.
        case never
        /// If the folder can be written; else the server is read-only.
        case ifPossible
        /// Yes; a folder that cannot be written is an error.
        case always
    }

    /// Whether it changes its folder for those who may.
    package var writing: Writing
    /// Whether it stores any OCI artifact, moving tags and SHA-512 digests.
    package var acceptsAnyArtifact: Bool
    /// The folder with the own keys of signed registries, and below it a folder for each mounted one; nil for none.
    package var state: String?
    /// Whether it deletes manifests and blobs for those who may.
    package var allowsDeletion: Bool

    /// Creates options.
    package init(
        writing: Writing = .always,
        acceptsAnyArtifact: Bool = false,
        allowsDeletion: Bool = false,
        state: String? = nil
    ) {
        self.writing = writing
        self.acceptsAnyArtifact = acceptsAnyArtifact
        self.allowsDeletion = allowsDeletion
        self.state = state
    }
}
