// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCore

/// Bytes to serve, with their entity tag.
package struct ServedContent: Sendable {
    /// The bytes of the whole resource.
    package var bytes: [UInt8]
    /// The `ETag` including its quotes; nil for none.
    package var entityTag: String?

    /// Creates content from bytes.
    package init(_ bytes: [UInt8], entityTag: String? = "\"content\"") {
        self.bytes = bytes
        self.entityTag = entityTag
    }

    /// Creates content from the current bytes of a file, with a tag derived from the bytes.
    package init(file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        self.init(bytes, entityTag: "\"\(ContentDigest(of: bytes).short)\"")
    }

    /// Position-dependent bytes, which reveal swapped or repeated ranges.
    package static func pattern(count: Int) -> ServedContent {
        ServedContent((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &* 7) })
    }

    /// The same content and tag with one bit flipped.
    package func flippingBit(at offset: Int) -> ServedContent {
        var copy = self
        copy.bytes[offset] ^= 1
        return copy
    }
}
