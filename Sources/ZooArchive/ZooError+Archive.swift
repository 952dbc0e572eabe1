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
    /// A file of an installed release does not have the digest of the record.
    package static let fileMismatch = Self("release.file-mismatch", .integrity)
    /// Not every byte of a release's files was verified.
    package static let filesNotCovered = Self("release.not-covered", .integrity)
    /// The content of a file changed while it was being packed.
    public static let fileChanged = Self("archive.file-changed", .inputOutput)
}
