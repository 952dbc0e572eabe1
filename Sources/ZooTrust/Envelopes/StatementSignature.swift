// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Proof that somebody signed exactly the bytes of an in-toto statement.
///
/// The signature is a Sigstore bundle of its own, so that a reader without it reads the same statement.
package struct StatementSignature: Sendable {
    /// The key that signed.
    package let key: VerificationKey
    /// What the certificate of the signer says; nil if only the key is known.
    package let certificate: SignerFacts?

    /// Verifies the signature of a statement.
    ///
    /// - Parameters:
    ///   - bundle: the stored form of the bundle.
    ///   - statement: the statement.
    ///   - authority: whose signature counts.
    /// - Throws: ``ZooError`` with code `signature.invalid`, also for a signature of another statement, or as
    ///   ``SignatureBundle/init(parsing:)`` and ``SignatureBundle/verified(by:)-(SignatureAuthority)``.
    package init(
        _ bundle: [UInt8],
        over statement: [UInt8],
        by authority: SignatureAuthority
    ) async throws(ZooError) {
        let payload = try await SignatureBundle(parsing: bundle).verified(by: authority)
        guard payload.type == EvidenceStatement.mediaType, payload.bytes == statement else {
            throw ZooError(
                .signatureInvalid,
                "the signature is over another statement than the one that it comes with",
                remedy: "do not believe the evidence; ask its publisher to attach it again"
            )
        }
        (key, certificate) = (payload.key, payload.certificate)
    }

    /// Signs a statement.
    ///
    /// - Returns: the stored form of the bundle.
    /// - Throws: as ``SignatureBundle/init(signing:_:with:certificates:)``.
    package static func sign(
        _ statement: [UInt8],
        with key: some SigningKey,
        certificates: SignerCertificates? = nil
    ) async throws(ZooError) -> [UInt8] {
        try await SignatureBundle(
            signing: statement,
            EvidenceStatement.mediaType,
            with: key,
            certificates: certificates
        ).bytes
    }
}
