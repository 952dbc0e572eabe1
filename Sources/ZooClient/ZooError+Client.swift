// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// A text is neither a folder nor an HTTP address of a registry.
    package static let registryAddress = Self("registry.address-invalid", .usage)
    /// A registry has no such model.
    package static let modelUnknown = Self("registry.model-not-found", .notFound)
    /// A registry has no such version of a model, or a channel has none that is not yanked.
    package static let versionUnknown = Self("registry.version-not-found", .notFound)
    /// A registry lists a blob that it does not have.
    package static let blobMissing = Self("registry.blob-missing", .notFound)
    /// A folder is not a registry.
    package static let notARegistry = Self("registry.not-a-registry", .notFound)
    /// A document or blob does not have the digest or size that names it.
    package static let registryMismatch = Self("registry.digest-mismatch", .integrity)
    /// The documents of a release contradict each other.
    package static let releaseInconsistent = Self("registry.release-inconsistent", .badData)
    /// The version exists already with other content.
    package static let versionTaken = Self("registry.version-taken", .notPermitted)
    /// A registry folder is there already.
    package static let registryExists = Self("registry.exists", .inputOutput)
    /// The command may not use the network, and what it needs is not on this machine.
    package static let offline = Self("registry.offline", .unreachable)
    /// A registry folder lacks a document that every registry has.
    package static let documentMissing = Self("registry.document-missing", .notFound)
    /// A document of a registry folder does not have the content that the format requires.
    package static let documentInvalid = Self("registry.document-invalid", .badData)
    /// A version of an index document is not in `index.json`.
    package static let manifestUnlisted = Self("registry.manifest-unlisted", .badData)
    /// A release of `index.json` is in no index document.
    package static let versionUnindexed = Self("registry.version-unindexed", .badData)
    /// A file of a registry folder that is no part of the registry.
    package static let fileUnknown = Self("registry.file-unknown", .badData)
    /// A blob that nothing refers to.
    package static let blobUnreferenced = Self("registry.blob-unreferenced", .badData)
    /// A component that the release does not have.
    package static let componentUnknown = Self("release.component-not-found", .notFound)
    /// A file of an installed release is missing or has the wrong length.
    package static let fileWrong = Self("release.file-wrong", .integrity)
    /// The manifest of a folder does not have the digest that its anchor gives.
    package static let anchorMismatch = Self("release.anchor-mismatch", .integrity)
    /// A file that the release record does not list.
    package static let fileUnlisted = Self("release.file-unlisted", .integrity)

    /// The catalogue has no such model.
    package static let importModelMissing = Self("import.model-not-found", .notFound)
    /// A model's licence has to be agreed to before it is fetched.
    package static let importLicence = Self("import.licence-not-accepted", .notPermitted)
    /// A lab's file is longer than the limit.
    package static let importFileTooLarge = Self("import.file-too-large", .badData)
    /// A file does not have the size or the digest that the catalogue states.
    package static let importFileMismatch = Self("import.file-mismatch", .integrity)
}
