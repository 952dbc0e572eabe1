// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// The bytes of a block do not have the digest that its table gives.
    public static let blockMismatch = Self("archive.block-mismatch", .integrity)
    /// A block is not one zstd frame of the declared size.
    public static let frameMalformed = Self("archive.frame-malformed", .badData)
    /// The bytes between files are not those that the release record determines.
    public static let memberMismatch = Self("archive.member-mismatch", .integrity)
    /// The content of a file changed while it was being packed.
    public static let fileChanged = Self("archive.file-changed", .inputOutput)
}
