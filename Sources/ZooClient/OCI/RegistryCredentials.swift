// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation

/// A user name and a password or token for one registry host.
package struct RegistryCredentials: Sendable, Equatable {
    /// The user name; any text for a registry that knows tokens alone.
    package let user: String
    /// The password or token.
    package let secret: String

    /// Creates credentials.
    package init(user: String, secret: String) {
        self.user = user
        self.secret = secret
    }

    /// The value of `Authorization` of the scheme Basic, RFC 7617.
    var basic: String { "Basic \(Data("\(user):\(secret)".utf8).base64EncodedString())" }

    /// Finds the credentials of a host, `name` or `name:port`, or of a path on it, such as
    /// `name:port/partner`; nil when there are none.
    package typealias Lookup =
        @Sendable (_ host: String) async throws -> RegistryCredentials?
}

extension RegistryCredentials: CustomStringConvertible, CustomDebugStringConvertible {
    /// The user name; the secret is never printed.
    package var description: String { "credentials of '\(user)'" }
    /// The user name; the secret is never printed.
    package var debugDescription: String { description }
}
