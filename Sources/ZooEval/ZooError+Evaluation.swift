// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// No suite of this name and version is known.
    package static let suiteUnknown = Self("evaluation.suite-unknown", .badData)
    /// No simulated environment of this name and version is known.
    package static let environmentUnknown = Self("evaluation.environment-unknown", .badData)
    /// There is no definition of a suite of this name.
    package static let suiteMissing = Self("evaluation.suite-missing", .notFound)
    /// The files of the model or of the data set are not as released.
    package static let notAsReleased = Self("evaluation.not-as-released", .integrity)
    /// The data set is not the one that a suite names.
    package static let evaluationDataDiffers = Self("evaluation.data-differs", .integrity)
    /// The data do not suit a suite or a model.
    package static let evaluationDataUnsuitable = Self("evaluation.data-unsuitable", .badData)
    /// A model or the training of a probe computed numbers that are not finite.
    package static let evaluationNotFinite = Self("evaluation.not-finite", .badData)
    /// Stored results of a shard are missing.
    package static let shardMissing = Self("evaluation.shard-missing", .notFound)
    /// Two folders hold different results for the same samples.
    package static let shardConflict = Self("evaluation.shard-conflict", .integrity)
}

extension ZooError {
    static func dataUnsuitable(_ what: String, remedy: String? = nil) -> ZooError {
        ZooError(
            .evaluationDataUnsuitable,
            what,
            remedy: remedy
                ?? "evaluate on the data set, and with the parameters, that the suite was made for"
        )
    }
}
