// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The response to an ``HTTPRequest``.
package struct HTTPResponse: Sendable {
    /// The final status, 200 or above.
    package let status: Int
    /// The body; that of an error is cut at the limit of the request.
    package let body: [UInt8]
    private let head: ResponseHead
    private let address: WebAddress

    init(head: ResponseHead, address: WebAddress, body: [UInt8]) {
        status = head.status
        self.body = body
        self.head = head
        self.address = address
    }

    /// The value of a header; of a repeated one, the last.
    package subscript(name: String) -> String? { head[name.lowercased()] }

    /// The absolute URL that the `Location` header names; nil when there is no usable one.
    package var location: String? {
        head["location"].flatMap { address.resolving($0) }?.url
    }

    /// Throws unless the status is one of success, 200 to 299.
    ///
    /// - Throws: ``ZooError`` with code `transport.not-found` (404, 410), `transport.login-required`
    ///   (401), `transport.forbidden` (403), `transport.body-too-large` (413),
    ///   `transport.server-full` (507), `transport.server-unavailable` (408, 425, 429, other 5xx) or `transport.status-unexpected`.
    package func requireSuccess() throws(ZooError) {
        guard !(200...299).contains(status) else { return }
        throw TransferFailure(status: head).error(at: address, cause: AuthenticationChallenge(head))
    }
}
