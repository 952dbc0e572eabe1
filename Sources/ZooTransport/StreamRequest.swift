// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A download of a resource of known size, or of a part of it.
package struct StreamRequest: Sendable {
    /// An absolute `http` or `https` URL.
    package var url: String
    /// The size of the whole resource in bytes.
    package var totalSize: Int
    /// The bytes to download; nil for the whole resource, which works without range support.
    package var range: Range<Int>?
    /// More headers, such as `Authorization`.
    package var headers: [HeaderField]
    /// The strong entity tag of the version to download; any other version ends the transfer.
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
