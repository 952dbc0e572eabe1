// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

extension ArchiveLayout {
    /// A stretch of the raw stream, whose files hold the bytes 0 to 250 over and over.
    func bytes(of range: Range<Int>) -> [UInt8] {
        pieces(of: range).flatMap { piece -> [UInt8] in
            switch piece {
            case .fixed(let bytes): bytes
            case .content(_, let range): range.map { UInt8($0 % 251) }
            }
        }
    }
}
