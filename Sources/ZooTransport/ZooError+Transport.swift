// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// An address is not an absolute `http` or `https` URL, or carries a password.
    package static let urlInvalid = Self("transport.url-invalid", .usage)
    /// A request header would break the request apart: an odd name, or a line break in its value.
    package static let headerInvalid = Self("transport.header-invalid", .usage)
    /// The name of the server, or of the proxy, does not resolve.
    package static let hostUnknown = Self("transport.host-unknown", .unreachable)
    /// No connection: refused, no route, or not established in time.
    package static let connectionFailed = Self("transport.connection-failed", .unreachable)
    /// The connection broke, or closed, before all bytes had come.
    package static let interrupted = Self("transport.interrupted", .unreachable)
    /// The connection stood still, or fell below the floor speed, for too long.
    package static let stalled = Self("transport.stalled", .unreachable)
    /// No trusted TLS connection could be made.
    package static let tlsFailed = Self("transport.tls-failed", .unreachable)
    /// The server kept answering 408, 425, 429 or 5xx, or asked for a longer wait than allowed.
    package static let serverUnavailable = Self("transport.server-unavailable", .unreachable)
    /// The server answered with a status that has no meaning for this request.
    package static let statusUnexpected = Self("transport.status-unexpected", .unreachable)
    /// The answer is not HTTP.
    package static let replyMalformed = Self("transport.reply-malformed", .unreachable)
    /// The resource does not exist: 404 or 410.
    package static let resourceNotFound = Self("transport.not-found", .notFound)
    /// The server wants credentials, or refuses those it got: 401.
    ///
    /// The cause is its ``AuthenticationChallenge``, when it sent one.
    package static let loginRequired = Self("transport.login-required", .notPermitted)
    /// The server does not let this caller have the resource: 403.
    package static let forbidden = Self("transport.forbidden", .notPermitted)
    /// A redirect that is not followed: too many, a loop, a downgrade to http, or no usable target.
    package static let redirectRefused = Self("transport.redirect-refused", .unreachable)
    /// The server answered a range request with the whole resource.
    package static let rangesIgnored = Self("transport.ranges-ignored", .unreachable)
    /// A partial answer that does not say, or wrongly says, which bytes it holds.
    package static let rangeInvalid = Self("transport.range-invalid", .unreachable)
    /// The body is compressed although the request excluded that.
    package static let contentEncoded = Self("transport.content-encoded", .unreachable)
    /// The resource is not as long as the release says.
    package static let sizeMismatch = Self("transport.size-mismatch", .integrity)
    /// The resource changed while it was being transferred.
    package static let resourceChanged = Self("transport.resource-changed", .integrity)
    /// A document is longer than its limit.
    package static let documentTooLarge = Self("transport.document-too-large", .badData)
    /// The HTTP library could not work at all, for example for want of memory.
    package static let libraryFailed = Self("transport.library-failed", .inputOutput)
}

/// What a server that answered 401 asks for; the cause of `transport.login-required`.
package struct AuthenticationChallenge: Error, Hashable {
    /// The value of `WWW-Authenticate`.
    package let value: String
}
