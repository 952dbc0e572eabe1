// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// The local store was written by a newer program.
    package static let storeTooNew = Self("store.too-new", .badData)
    /// A folder does not hold an installed release.
    package static let notARelease = Self("store.not-a-release", .badData)
    /// A document of an installed release does not match its digest.
    package static let receiptMismatch = Self("store.receipt-mismatch", .integrity)
    /// The store has no receipt of a release in it.
    package static let receiptMissing = Self("store.receipt-missing", .integrity)
    /// A staging folder does not contain exactly the verified files.
    package static let stagingMismatch = Self("store.staging-mismatch", .integrity)
    /// Another process is working on the same folder.
    package static let stagingBusy = Self("store.staging-busy", .inputOutput)
    /// The destination exists and is not this release.
    package static let destinationTaken = Self("store.destination-taken", .inputOutput)
    /// The store cannot tell which of its releases a channel selects.
    package static let channelNotRecorded = Self("store.channel-not-recorded", .notFound)
    /// Several versions of a model are installed, and one has to be named.
    package static let severalInstalled = Self("store.several-installed", .usage)
    /// A model is not installed.
    package static let notInstalled = Self("store.not-installed", .notFound)
}
