// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The name of an upload: 32 hexadecimal digits.
///
/// Nobody can guess the name of an upload whose bytes arrive in order. The name of a block-wise upload
/// follows from what it is for, so that a client that lost it finds the upload again; it is open to the
/// one who started it alone.
package struct UploadID: Hashable, Sendable, CustomStringConvertible {
    /// The text form.
    package let description: String

    /// Creates a new name.
    init() {
        description = (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The name of a block-wise upload.
    init(of session: UploadSession) {
        description = String(ContentDigest(of: session.canonicalBytes).hex.prefix(32))
    }

    /// Parses a name; nil for any other text.
    package init?(parsing text: String) {
        guard text.utf8.count == 32,
            text.utf8.allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else { return nil }
        description = text
    }
}
