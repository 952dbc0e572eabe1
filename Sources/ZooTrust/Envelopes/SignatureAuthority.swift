// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Whose signatures count.
package enum SignatureAuthority: Sendable {
    /// Those of one key.
    case key(VerificationKey)
    /// Those of every signer that a root certificate vouches for, at a time.
    case certificates(TrustedCertificates, at: Timestamp)
}

extension SignatureBundle {
    /// Verifies the signature.
    ///
    /// - Returns: the signed text, which can be reached from here on.
    /// - Throws: as ``verified(by:)-(VerificationKey)`` or ``verified(by:at:)``.
    package func verified(by authority: SignatureAuthority) async throws(ZooError) -> SignedPayload
    {
        switch authority {
        case .key(let key): try verified(by: key)
        case .certificates(let trusted, let now): try await verified(by: trusted, at: now)
        }
    }
}
