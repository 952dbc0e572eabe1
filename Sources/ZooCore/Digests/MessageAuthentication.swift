// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Crypto

/// Authenticates messages with a secret key (HMAC-SHA256, RFC 2104).
package struct MessageAuthentication: Sendable {
    /// The size of a code in bytes.
    package static let codeSize = 32

    private let key: SymmetricKey

    /// Creates an authenticator with a random key of 256 bits, which is in memory only.
    package init() { key = SymmetricKey(size: .bits256) }

    /// Creates an authenticator.
    package init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// The code of a message: 32 bytes.
    package func code(of message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }

    /// Whether a code is that of a message; the time does not depend on where they differ.
    package func isValid(_ code: [UInt8], for message: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: message, using: key)
    }
}
