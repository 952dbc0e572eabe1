// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// Bytes to be served, with the tag that identifies them.
package struct ServedContent: Sendable {
    /// The bytes of the whole resource.
    package var bytes: [UInt8]
    /// The `ETag` with its quotes; nil for none.
    package var entityTag: String?

    /// Serves bytes from memory.
    package init(_ bytes: [UInt8], entityTag: String? = "\"content\"") {
        self.bytes = bytes
        self.entityTag = entityTag
    }

    /// Serves a file as it is now; the tag is made from its bytes.
    package init(file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        // FNV-1a: the tag has to differ when the content does, and nothing more.
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        self.init(bytes, entityTag: "\"\(String(hash, radix: 16))\"")
    }

    /// Bytes that differ at every position in a way that shows which were swapped or repeated.
    package static func pattern(count: Int) -> ServedContent {
        ServedContent((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &* 7) })
    }

    /// The same content with one bit wrong and the same tag.
    package func flippingBit(at offset: Int) -> ServedContent {
        var copy = self
        copy.bytes[offset] ^= 1
        return copy
    }
}
