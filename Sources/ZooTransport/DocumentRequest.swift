// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A download of a small resource into memory.
package struct DocumentRequest: Sendable {
    /// An absolute `http` or `https` URL.
    package var url: String
    /// The largest size to accept, in bytes.
    package var limit: Int
    /// The entity tag of a cached copy; the reply is ``DocumentReply/notModified`` while it is current.
    package var entityTag: String?
    /// More headers, such as `Accept` or `Authorization`.
    package var headers: [HeaderField]

    /// Makes a request.
    package init(url: String, limit: Int, entityTag: String? = nil, headers: [HeaderField] = []) {
        self.url = url
        self.limit = limit
        self.entityTag = entityTag
        self.headers = headers
    }
}

/// The reply to a ``DocumentRequest``.
package enum DocumentReply: Sendable, Hashable {
    /// The cached copy is current.
    case notModified
    /// The whole document, and the entity tag to revalidate it with.
    case fetched(bytes: [UInt8], entityTag: String?)
}
