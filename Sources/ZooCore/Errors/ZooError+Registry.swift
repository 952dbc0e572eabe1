// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The codes of failures of a registry, which a server sends and a client shows.
extension ZooError.Code {
    /// A registry has no such model.
    public static let modelUnknown = Self("registry.model-not-found", .notFound)
    /// A registry has no such version of a model, or all versions of a channel are yanked.
    public static let versionUnknown = Self("registry.version-not-found", .notFound)
    /// A registry lists a blob but does not have it.
    public static let blobMissing = Self("registry.blob-missing", .notFound)
    /// A folder is not a registry.
    public static let notARegistry = Self("registry.not-a-registry", .notFound)
    /// The documents of a release are inconsistent.
    public static let releaseInconsistent = Self("registry.release-inconsistent", .badData)
    /// The version already exists with different content.
    public static let versionTaken = Self("registry.version-taken", .notPermitted)
    /// The registry folder already exists.
    public static let registryExists = Self("registry.exists", .inputOutput)
    /// The content of a blob does not match the digest in its name.
    public static let blobMismatch = Self("store.blob-mismatch", .integrity)
    /// The file system of a registry folder has no file locks.
    public static let locksUnavailable = Self("registry.locks-unavailable", .inputOutput)
    /// A document or blob does not match its digest or size.
    public static let registryMismatch = Self("registry.digest-mismatch", .integrity)
}
