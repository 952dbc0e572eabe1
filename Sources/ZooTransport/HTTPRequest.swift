// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A request of any method, with or without a body, whose response is held in memory.
package struct HTTPRequest: Sendable {
    /// The method of a request.
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"

        /// Whether RFC 9110 lets a client repeat the request without knowing whether it arrived.
        var isIdempotent: Bool { self != .post && self != .patch }

        /// Whether the request changes nothing on the server.
        var isSafe: Bool { self == .get || self == .head }
    }

    /// The method.
    package var method: Method
    /// An absolute `http` or `https` URL.
    package var url: String
    /// More headers, such as `Content-Type` or `Authorization`.
    package var headers: [HeaderField]
    /// The body; a POST, PUT or PATCH without one is sent with an empty body.
    package var body: RequestBody?
    /// The largest body to accept in a successful response, in bytes.
    package var limit: Int
    /// Whether a request that may have arrived can be sent again; default: what the method says.
    ///
    /// A PATCH that writes bytes to a fixed place may set it.
    package var isIdempotent: Bool

    /// Makes a request.
    package init(
        _ method: Method,
        _ url: String,
        headers: [HeaderField] = [],
        body: RequestBody? = nil,
        limit: Int = 1 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limit = limit
        isIdempotent = method.isIdempotent
    }
}
