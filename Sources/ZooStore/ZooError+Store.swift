// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// The local store was written by a newer program.
    package static let storeTooNew = Self("store.too-new", .badData)
    /// A folder does not hold an installed release.
    package static let notARelease = Self("store.not-a-release", .badData)
    /// The documents of an installed release do not have the digests that bind them.
    package static let receiptMismatch = Self("store.receipt-mismatch", .integrity)
    /// A staging folder does not hold exactly the files that were verified.
    package static let stagingMismatch = Self("store.staging-mismatch", .integrity)
    /// Another process is at work on the same folder.
    package static let stagingBusy = Self("store.staging-busy", .inputOutput)
    /// The destination holds something else.
    package static let destinationTaken = Self("store.destination-taken", .inputOutput)
    /// A model is not installed.
    package static let notInstalled = Self("store.not-installed", .notFound)
    /// A blob's bytes do not have the digest that names it.
    package static let blobMismatch = Self("store.blob-mismatch", .integrity)
}
