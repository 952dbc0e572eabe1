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
    /// Nobody said where the data are that a suite names and no registry has.
    package static let heldDataMissing = Self("evaluation.data-missing", .usage)
    /// A published probe was given for a suite that needs none.
    package static let probeUnused = Self("evaluation.probe-unused", .usage)
    /// Held data lack a file.
    package static let heldFileMissing = Self("evaluation.file-missing", .notFound)
    /// Held data have a file that belongs to no sample, or two for one.
    package static let heldFileUnexpected = Self("evaluation.file-unexpected", .badData)
    /// A sample of held data has no label, or one that is no class.
    package static let labelMissing = Self("evaluation.label-missing", .badData)
    /// A class of held data has no samples.
    package static let classEmpty = Self("evaluation.class-empty", .badData)
    /// A list of the samples of held data contradicts its format.
    package static let listMalformed = Self("evaluation.list-malformed", .badData)
    /// A scene of held data has not two possible and two impossible movies that match.
    package static let sceneInvalid = Self("evaluation.scene-invalid", .badData)
    /// A clip has fewer frames than the protocol needs.
    package static let clipTooShort = Self("evaluation.clip-too-short", .badData)
}

extension ZooError {
    static func fileUnexpected(_ what: String, remedy: String? = nil) -> ZooError {
        ZooError(
            .heldFileUnexpected,
            what,
            remedy: remedy ?? "remove the file from the data, or move it elsewhere"
        )
    }

    static func withoutClasses(_ split: String) -> ZooError {
        ZooError(
            .labelMissing,
            "the samples of the split '\(split)' have no classes",
            remedy: "use a layout with classes, such as 'class-folders'"
        )
    }

    static func dataUnsuitable(_ what: String, remedy: String? = nil) -> ZooError {
        ZooError(
            .evaluationDataUnsuitable,
            what,
            remedy: remedy
                ?? "evaluate on the data set, and with the parameters, that the suite was made for"
        )
    }
}
