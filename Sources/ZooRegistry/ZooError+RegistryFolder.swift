// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The findings of a check of a registry folder.
extension ZooError.Code {
    /// A registry folder does not have a required document.
    package static let documentMissing = Self("registry.document-missing", .notFound)
    /// A document of a registry folder violates its format.
    package static let documentInvalid = Self("registry.document-invalid", .badData)
    /// A version is in an index document but not in `index.json`.
    package static let manifestUnlisted = Self("registry.manifest-unlisted", .badData)
    /// A release is in `index.json` but not in an index document.
    package static let versionUnindexed = Self("registry.version-unindexed", .badData)
    /// A file in a registry folder is not part of the registry.
    package static let fileUnknown = Self("registry.file-unknown", .badData)
    /// A blob is not referenced.
    package static let blobUnreferenced = Self("registry.blob-unreferenced", .badData)
    /// The catalogue does not say what the index documents say.
    package static let catalogueStale = Self("registry.catalogue-stale", .badData)
    /// A signed change of an index document changes what no publisher may change.
    package static let trustSubmission = Self("trust.submission-invalid", .badData)
    /// A release was pushed to a signed registry without its metadata.
    package static let trustPush = Self("trust.signed-push-required", .notPermitted)
    /// An index document of a signed registry is not the one that was signed.
    package static let indexUnsigned = Self("trust.index-unsigned", .integrity)
}
