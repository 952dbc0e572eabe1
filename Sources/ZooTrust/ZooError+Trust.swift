// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// Signed metadata, a key or an envelope violates its format.
    package static let trustMalformed = Self("trust.malformed", .badData)
    /// Signed metadata or a target is larger than its limit.
    package static let trustTooLarge = Self("trust.too-large", .badData)
    /// There is no trusted root metadata on this machine.
    package static let trustNoRoot = Self("trust.no-root", .notPermitted)
    /// Fewer keys than the threshold signed a document.
    package static let trustSignatures = Self("trust.signatures-missing", .notPermitted)
    /// Metadata has expired.
    package static let trustExpired = Self("trust.expired", .notPermitted)
    /// Metadata is older than metadata that this machine has already trusted.
    package static let trustRollback = Self("trust.rollback", .notPermitted)
    /// The version of metadata is not the one that was asked for or announced.
    package static let trustVersion = Self("trust.version-mismatch", .integrity)
    /// The length or hash of metadata or of a target is not the one that was signed.
    package static let trustContent = Self("trust.content-mismatch", .integrity)
    /// A role has a delegation but no entry in the snapshot.
    package static let trustUnlisted = Self("trust.role-not-in-snapshot", .integrity)
    /// A registry does not have metadata that its signed metadata announces.
    package static let trustMissing = Self("trust.metadata-missing", .notFound)
    /// No role that may sign for a target lists it.
    package static let trustTargetUnknown = Self("trust.target-not-found", .notFound)
    /// A search or an update needs more steps than a client performs.
    package static let trustTooManySteps = Self("trust.too-many-steps", .notPermitted)
}

extension ZooError {
    static func malformed(_ what: String, _ problem: String) -> ZooError {
        ZooError(
            .trustMalformed,
            "\(what) \(problem)",
            remedy: "report it to the registry's owner"
        )
    }
}
