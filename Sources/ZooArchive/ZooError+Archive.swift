// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// A block does not match its digest in the block table.
    public static let blockMismatch = Self("archive.block-mismatch", .integrity)
    /// A block is not one zstd frame of the declared size.
    public static let frameMalformed = Self("archive.frame-malformed", .badData)
    /// The bytes between the files of an archive differ from the layout in the release record.
    public static let memberMismatch = Self("archive.member-mismatch", .integrity)
    /// A file of an installed release does not match its digest in the record.
    package static let fileMismatch = Self("release.file-mismatch", .integrity)
    /// Not every byte of a release's files was verified.
    package static let filesNotCovered = Self("release.not-covered", .integrity)
    /// The content of a file changed while it was being packed.
    public static let fileChanged = Self("archive.file-changed", .inputOutput)
}
