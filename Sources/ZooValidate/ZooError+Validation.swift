// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ZooError.Code {
    /// A claim was not measured because it is about data that only users hold, and that were not given.
    static let claimDataMissing = Self("validation.claim-data-missing", .usage)
    /// The release has no card.
    static let cardMissing = Self("validation.card-missing", .badData)
    /// A suite definition is in a file of another name.
    static let suiteNameWrong = Self("validation.suite-name", .badData)
    /// A claim cannot be measured: no tolerance, no suite, other digests.
    static let claimUnfounded = Self("validation.claim-unfounded", .badData)
    /// A claim is not what was measured.
    static let claimNotReproduced = Self("validation.claim-not-reproduced", .badData)
    /// A claim is worse than what was measured.
    static let claimExceeded = Self("validation.claim-exceeded", .badData)
    /// A stage differs from the reference implementation.
    static let parityBroken = Self("validation.parity", .badData)
    /// This version is worse than the one before.
    static let regression = Self("validation.regression", .badData)
}
