// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A small resource that is held in memory.
package struct DocumentRequest: Sendable {
    /// An absolute `http` or `https` URL.
    package var url: String
    /// The greatest length in bytes that is accepted.
    package var limit: Int
    /// The tag of a copy at hand; the server answers ``DocumentReply/notModified`` when it is current.
    package var entityTag: String?
    /// Further headers, such as `Accept` or `Authorization`.
    package var headers: [HeaderField]

    /// Makes a request.
    package init(url: String, limit: Int, entityTag: String? = nil, headers: [HeaderField] = []) {
        self.url = url
        self.limit = limit
        self.entityTag = entityTag
        self.headers = headers
    }
}

/// The answer to a ``DocumentRequest``.
package enum DocumentReply: Sendable, Hashable {
    /// The copy that the request named is current.
    case notModified
    /// The whole document, and the tag to revalidate it with.
    case fetched(bytes: [UInt8], entityTag: String?)
}
