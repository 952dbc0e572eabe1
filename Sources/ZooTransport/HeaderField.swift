// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// One header of a request.
package struct HeaderField: Hashable, Sendable {
    /// The name; its case does not matter.
    package let name: String
    /// The value, without line breaks.
    package let value: String

    /// Makes a header; the transfer that sends it checks it.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the header carries credentials, which are sent to the original server only.
    var isCredential: Bool {
        ["authorization", "cookie", "proxy-authorization"].contains(name.lowercased())
    }

    /// Refuses text that would end its line and start another header.
    func check() throws(ZooError) {
        let isToken = name.utf8.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && !#"()<>@,;:\"/[]?={}"#.utf8.contains(byte)
        }
        let isText = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
        guard isToken, isText, !name.isEmpty, !value.isEmpty else {
            // The value stays out of the message: it may be a token.
            throw ZooError(
                .headerInvalid,
                "the request header \(name.debugDescription) cannot be sent",
                remedy: "check the stored credentials for line breaks and control characters"
            )
        }
    }
}
