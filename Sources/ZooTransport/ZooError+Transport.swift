// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// An address is not an absolute `http` or `https` URL, or carries a password.
    package static let urlInvalid = Self("transport.url-invalid", .usage)
    /// A request header cannot be sent: an invalid name, or a line break in its value.
    package static let headerInvalid = Self("transport.header-invalid", .usage)
    /// The name of the server, or of the proxy, does not resolve.
    package static let hostUnknown = Self("transport.host-unknown", .unreachable)
    /// No connection: refused, no route, or not established in time.
    package static let connectionFailed = Self("transport.connection-failed", .unreachable)
    /// The connection broke or was closed before all bytes had arrived.
    package static let interrupted = Self("transport.interrupted", .unreachable)
    /// No bytes arrived for too long, or too few.
    package static let stalled = Self("transport.stalled", .unreachable)
    /// TLS failed: the certificate is not trusted or not valid, or the server does not speak TLS.
    package static let tlsFailed = Self("transport.tls-failed", .unreachable)
    /// A proxy wants a user name and password, or refuses those it got: 407.
    package static let proxyLoginRequired = Self("transport.proxy-login-required", .notPermitted)
    /// A proxy refuses to connect to the address.
    package static let proxyRefused = Self("transport.proxy-refused", .notPermitted)
    /// A web page came instead of a document or blob: a login page of a network, or another site.
    package static let webPage = Self("transport.web-page", .unreachable)
    /// The server has no disk space left: 507.
    package static let serverFull = Self("transport.server-full", .inputOutput)
    /// The server kept answering 408, 425, 429 or 5xx, or asked for a longer wait than allowed.
    package static let serverUnavailable = Self("transport.server-unavailable", .unreachable)
    /// The server answered with a status that has no meaning for this request.
    package static let statusUnexpected = Self("transport.status-unexpected", .unreachable)
    /// The answer is not HTTP.
    package static let replyMalformed = Self("transport.reply-malformed", .unreachable)
    /// The resource does not exist: 404 or 410.
    package static let resourceNotFound = Self("transport.not-found", .notFound)
    /// The server wants credentials, or refuses the ones it got: 401.
    ///
    /// The cause is its ``AuthenticationChallenge``, when it sent one.
    package static let loginRequired = Self("transport.login-required", .notPermitted)
    /// The server does not let this caller have the resource: 403.
    package static let forbidden = Self("transport.forbidden", .notPermitted)
    /// A redirect that is not followed: too many, a loop, from https to http, without a usable
    /// target, or one that may turn an upload into a GET.
    package static let redirectRefused = Self("transport.redirect-refused", .unreachable)
    /// The server answered a range request with the whole resource.
    package static let rangesIgnored = Self("transport.ranges-ignored", .unreachable)
    /// A partial response without a valid `Content-Range`, or with other bytes than requested.
    package static let rangeInvalid = Self("transport.range-invalid", .unreachable)
    /// The body is compressed although the request excluded that.
    package static let contentEncoded = Self("transport.content-encoded", .unreachable)
    /// The resource is not as long as the release says.
    package static let sizeMismatch = Self("transport.size-mismatch", .integrity)
    /// The resource changed while it was being transferred.
    package static let resourceChanged = Self("transport.resource-changed", .integrity)
    /// A document is longer than its limit.
    package static let documentTooLarge = Self("transport.document-too-large", .badData)
    /// The server refuses a request body of this size: 413.
    package static let bodyTooLarge = Self("transport.body-too-large", .notPermitted)
    /// The body of a request has fewer bytes than when the transfer started.
    package static let bodyChanged = Self("transport.body-changed", .inputOutput)
    /// The HTTP library failed, for example because memory ran out.
    package static let libraryFailed = Self("transport.library-failed", .inputOutput)
}

/// The credentials that a server asks for with 401; the cause of `transport.login-required`.
package struct AuthenticationChallenge: Error, Hashable {
    /// The value of `WWW-Authenticate`.
    package let value: String

    /// The challenge in a head, if it has one.
    init?(_ head: ResponseHead) {
        guard let value = head["www-authenticate"] else { return nil }
        self.value = value
    }
}
