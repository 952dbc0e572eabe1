// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// A folder's configuration names a model that no family here knows.
    public static let familyUnknown = Self("model.family-unknown", .badData)
    /// A model is of a known family, and of a kind that this program does not run.
    public static let modelUnsupported = Self("model.unsupported", .badData)
    /// A configuration contradicts itself or asks for absurd sizes.
    public static let configurationInvalid = Self("model.configuration-invalid", .badData)
    /// An input does not have the shape the model takes.
    public static let inputShapeInvalid = Self("model.input-shape-invalid", .badData)
    /// A selection of tokens is empty, uneven, or names tokens that do not exist.
    public static let tokenSelectionInvalid = Self("model.token-selection-invalid", .badData)
    /// The output of a block is asked for that the encoder does not have.
    public static let levelInvalid = Self("model.level-invalid", .badData)
    /// A probe and a backbone do not belong together.
    public static let probeMismatch = Self("model.probe-mismatch", .badData)
    /// A model has no read-out of the kind that was asked for.
    public static let readOutMissing = Self("model.read-out-missing", .notFound)
    /// A read-out's tensors do not fit together, or do not fit the prediction.
    public static let readOutInvalid = Self("model.read-out-invalid", .badData)
    /// A protocol of surprise has windows that do not fit the video, or contexts that do not fit the
    /// windows.
    public static let surpriseProtocolInvalid = Self("model.surprise-protocol-invalid", .badData)
    /// The settings of a search are out of range.
    public static let planSettingsInvalid = Self("model.plan-settings-invalid", .usage)
    /// A model computed NaN or infinite values.
    public static let resultNotFinite = Self("model.result-not-finite", .badData)
    /// Too few action sequences have a finite energy.
    public static let energyNotFinite = Self("model.energy-not-finite", .badData)
}
