// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The body of a request: bytes in memory, or pieces that are read while they are sent.
///
/// A body can be read again from its start, because retries and redirects send it again.
package struct RequestBody: Sendable {
    /// The size in bytes.
    package let size: Int
    /// Returns the bytes of a range of the body; called on a thread of the transport.
    let read: @Sendable (Range<Int>) throws -> [UInt8]

    /// Makes a body that is read in pieces of at most 64 KiB.
    ///
    /// - Parameters:
    ///   - size: The size in bytes.
    ///   - read: Returns exactly the bytes of a range within `0..<size`; may block. An error ends
    ///     the transfer.
    package init(size: Int, read: @escaping @Sendable (Range<Int>) throws -> [UInt8]) {
        self.size = size
        self.read = read
    }

    /// Makes a body of bytes in memory.
    package init(_ bytes: [UInt8]) {
        self.init(size: bytes.count) { Array(bytes[$0]) }
    }
}
