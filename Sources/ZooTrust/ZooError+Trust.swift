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
    /// Keys or a threshold cannot be those of a role.
    package static let trustKeys = Self("trust.keys-invalid", .usage)
    /// A writer has no keys for the snapshot and the timestamp.
    package static let trustOnlineKeys = Self("trust.online-keys-missing", .notPermitted)
    /// Somebody else changed the metadata since it was read.
    package static let trustChanged = Self("trust.changed-meanwhile", .notPermitted)
    /// A change of a signed registry was not signed by a key that may.
    package static let trustUnsigned = Self("trust.signer-required", .notPermitted)
    /// A registry has signed metadata already.
    package static let trustExists = Self("trust.already-signed", .usage)
    /// A registry has no signed metadata.
    package static let trustAbsent = Self("trust.not-signed", .usage)
    /// A role or delegation cannot be made or changed as asked.
    package static let trustRole = Self("trust.role-invalid", .usage)
    /// A root does not have the fingerprint that the user gave.
    package static let trustFingerprint = Self("trust.fingerprint-mismatch", .notPermitted)

    /// A signature file is not a Sigstore bundle with a statement about a model.
    package static let signatureMalformed = Self("signature.malformed", .badData)
    /// A signature was made in a way, or over hashes, that this program does not support.
    package static let signatureUnsupported = Self("signature.unsupported", .badData)
    /// A signature is not of the given key, or not over what it comes with.
    package static let signatureInvalid = Self("signature.invalid", .notPermitted)
    /// A folder has no signature, and one is required.
    package static let signatureMissing = Self("signature.missing", .notFound)
    /// A signed file is missing, or its content is not what was signed.
    package static let signatureFileMismatch = Self("signature.file-mismatch", .integrity)
    /// A file of a signed folder is not signed.
    package static let signatureFileUnsigned = Self("signature.file-unsigned", .integrity)
    /// What is to be signed is not a folder.
    package static let signatureFolder = Self("signature.not-a-folder", .usage)
    /// A file or a signature holds no certificate that can be read.
    package static let certificateMalformed = Self("certificate.malformed", .badData)
    /// A certificate is not for signing what is not a certificate.
    package static let certificateKeyUsage = Self("certificate.key-usage", .notPermitted)
    /// The certificate of a signer is that of an authority.
    package static let certificateAuthority = Self("certificate.authority", .notPermitted)
    /// The certificate of a signer is of another key than the one that signs.
    package static let certificateOtherKey = Self("certificate.other-key", .usage)
    /// No trusted root certificate vouches for a signer.
    package static let certificateUntrusted = Self("certificate.untrusted", .notPermitted)
    /// A certificate is not valid yet, or no more.
    package static let certificateExpired = Self("certificate.expired", .notPermitted)
    /// A certificate between a root and a signer does not permit what it is used for.
    package static let certificateChain = Self("certificate.chain-invalid", .notPermitted)
    /// The signer of a folder is revoked on this machine.
    package static let keyRevoked = Self("key.revoked", .notPermitted)
    /// A file holds no key of a supported kind.
    package static let keyMalformed = Self("key.malformed", .badData)
    /// A file with a private key can be read by other users.
    package static let keyExposed = Self("key.exposed", .notPermitted)
    /// A private key is encrypted, and there is no passphrase or a wrong one.
    package static let keyLocked = Self("key.locked", .notPermitted)
    /// A policy violates its format.
    package static let policyInvalid = Self("policy.invalid", .badData)
    /// A release is not what a policy requires.
    package static let policyUnmet = Self("policy.unmet", .notPermitted)
    /// There is no key of that name.
    package static let keyUnknown = Self("key.not-found", .notFound)
    /// There is already a key of that name, or the name is not allowed.
    package static let keyName = Self("key.name-invalid", .usage)
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
