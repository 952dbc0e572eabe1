// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// Other users can open the state folder, or it or a file in it is of the wrong kind.
    package static let stateExposed = Self("accounts.state-exposed", .notPermitted)
    /// The state folder belongs to another user.
    package static let stateOwner = Self("accounts.state-owner", .notPermitted)
    /// The state folder is inside a registry folder.
    package static let stateServed = Self("accounts.state-served", .notPermitted)
    /// A state folder has no accounts.
    package static let stateMissing = Self("accounts.state-missing", .notFound)
    /// The name or the scopes of a token are not valid.
    package static let tokenInvalid = Self("accounts.token-invalid", .usage)
    /// There is already a token of that name.
    package static let tokenNameTaken = Self("accounts.token-name-taken", .notPermitted)
    /// There is no token of that name.
    package static let tokenUnknown = Self("accounts.token-unknown", .notFound)
    /// An upload would exceed the quota of its token.
    package static let quotaExceeded = Self("accounts.quota-exceeded", .notPermitted)
}
