// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// The credentials of a request are missing, wrong, expired or revoked.
    package static let unauthorized = Self("server.unauthorized", .notPermitted)
    /// A sender makes too many requests, or sends too many wrong credentials.
    package static let tooManyRequests = Self("server.too-many-requests", .unreachable)
}
