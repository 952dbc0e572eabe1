// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A private key, wherever it lies: in a file, or in hardware that signs without giving it away.
///
/// A key in hardware needs no more than this: a PKCS#11 module would read the public key of a token
/// once, hash the message, and pass it to `C_Sign` on a thread that may block.
package protocol SigningKey: Sendable {
    /// The public key.
    var publicKey: VerificationKey { get }

    /// Signs a message with the algorithm of ``publicKey``.
    ///
    /// - Returns: the signature, in the form that ``VerificationKey/isValid(_:for:)`` reads.
    /// - Throws: ``ZooError`` with a `key.*` code.
    func signature(for message: [UInt8]) async throws(ZooError) -> [UInt8]
}
