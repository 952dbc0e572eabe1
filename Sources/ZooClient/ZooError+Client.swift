// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// No environment variable determines the path of the local store.
    package static let noHome = Self("environment.no-home", .inputOutput)
    /// A registry address is neither a folder nor an HTTP URL.
    package static let registryAddress = Self("registry.address-invalid", .usage)
    /// A command that changes one version was given a reference without a version.
    package static let versionRequired = Self("reference.version-required", .usage)
    /// Other clients replaced an index document in an OCI registry again and again.
    package static let indexBusy = Self("registry.index-busy", .unreachable)
    /// A command that changes a registry folder was given the address of a server.
    package static let folderRequired = Self("registry.folder-required", .usage)
    /// A credential helper of Docker or Podman is missing, or did not answer as such a program does.
    package static let helperFailed = Self("login.helper-failed", .notPermitted)
    /// The network is disabled, and the release is not installed.
    package static let offline = Self("registry.offline", .unreachable)
    /// The licence of a release requires consent that the user did not give.
    package static let licenceNotAccepted = Self("release.licence-not-accepted", .notPermitted)
    /// The release does not have the component.
    package static let componentUnknown = Self("release.component-not-found", .notFound)
    /// A file of a model is missing or has the wrong size, or one of its folders is a link.
    package static let fileWrong = Self("release.file-wrong", .integrity)
    /// The manifest of a folder does not match the digest of an anchor.
    package static let anchorMismatch = Self("release.anchor-mismatch", .integrity)
    /// A folder lacks components of the release that were expected in it.
    package static let incomplete = Self("release.incomplete", .integrity)
    /// A folder states that only some components were fetched, and nothing outside it confirms that.
    package static let componentsUnconfirmed = Self("release.components-unconfirmed", .integrity)
    /// Nothing says which archive of which release a file must be.
    package static let archiveUnknown = Self("verify.archive-unknown", .usage)
    /// A file in a model folder is not listed in the release record.
    package static let fileUnlisted = Self("release.file-unlisted", .integrity)

    /// Another root of a registry is trusted already.
    package static let trustKnown = Self("trust.already-trusted", .notPermitted)

    /// The catalogue has no such model.
    package static let importModelMissing = Self("import.model-not-found", .notFound)
    /// The licence of a model must be accepted before the model is fetched.
    package static let importLicence = Self("import.licence-not-accepted", .notPermitted)
    /// A lab's file exceeds the size limit.
    package static let importFileTooLarge = Self("import.file-too-large", .badData)
    /// A file does not match the size or the digest in the catalogue.
    package static let importFileMismatch = Self("import.file-mismatch", .integrity)
}
