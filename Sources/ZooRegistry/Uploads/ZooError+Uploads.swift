// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// There is no such upload in the repository, or it has expired or ended.
    package static let uploadUnknown = Self("upload.not-found", .notFound)
    /// Another request writes to the same upload.
    package static let uploadBusy = Self("upload.busy", .inputOutput)
    /// A piece does not start where the upload ends, or its length differs from its range.
    package static let uploadOutOfOrder = Self("upload.out-of-order", .usage)
    /// The uploaded bytes do not have the stated digest.
    package static let uploadMismatch = Self("upload.digest-mismatch", .integrity)
    /// The upload is larger than any file may be.
    package static let uploadTooLarge = Self("upload.too-large", .notPermitted)
    /// The block table of a block-wise upload is not one, or belongs to another archive.
    package static let uploadTable = Self("upload.table-invalid", .badData)
    /// A range of a block-wise upload does not consist of whole blocks that are missing.
    package static let uploadRange = Self("upload.range-invalid", .usage)
    /// Blocks of a block-wise upload do not match the block table.
    package static let uploadBlocks = Self("upload.block-mismatch", .integrity)
    /// A block-wise upload ends while blocks are missing.
    package static let uploadIncomplete = Self("upload.incomplete", .usage)
    /// The registry has too many uploads that are not complete.
    package static let uploadsFull = Self("upload.too-many", .notPermitted)
    /// A release already has the maximum number of attachments.
    package static let attachmentsFull = Self("registry.attachments-full", .notPermitted)
}
