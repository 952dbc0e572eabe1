// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A resource of known length, or a part of one, whose bytes are handed on as they arrive.
package struct StreamRequest: Sendable {
    /// An absolute `http` or `https` URL.
    package var url: String
    /// The length of the whole resource in bytes.
    package var totalSize: Int
    /// The bytes wanted; nil for the whole resource, which a server without ranges can also answer.
    package var range: Range<Int>?
    /// Further headers, such as `Authorization`.
    package var headers: [HeaderField]
    /// The strong tag of the version that is wanted: another one ends the transfer.
    package var entityTag: String?

    /// Makes a request.
    package init(
        url: String,
        totalSize: Int,
        range: Range<Int>? = nil,
        headers: [HeaderField] = []
    ) {
        self.url = url
        self.totalSize = totalSize
        self.range = range
        self.headers = headers
    }
}
