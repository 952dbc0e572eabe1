// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// The `model_type` in `config.json` is not supported.
    public static let familyUnknown = Self("model.family-unknown", .badData)
    /// The family is supported, but not this kind of model.
    public static let modelUnsupported = Self("model.unsupported", .badData)
    /// A configuration is inconsistent, or a size is out of range.
    public static let configurationInvalid = Self("model.configuration-invalid", .badData)
    /// An input does not have the shape that the model requires.
    public static let inputShapeInvalid = Self("model.input-shape-invalid", .badData)
    /// A token selection is empty, differs in length per sample, or has tokens that do not exist.
    public static let tokenSelectionInvalid = Self("model.token-selection-invalid", .badData)
    /// The output of a block was requested that the encoder does not have.
    public static let levelInvalid = Self("model.level-invalid", .badData)
    /// A probe does not match the backbone.
    public static let probeMismatch = Self("model.probe-mismatch", .badData)
    /// A model has no read-out of the requested kind.
    public static let readOutMissing = Self("model.read-out-missing", .notFound)
    /// The tensors of a read-out are inconsistent, or do not match the prediction.
    public static let readOutInvalid = Self("model.read-out-invalid", .badData)
    /// Windows are longer than the video, or contexts do not fit into the windows.
    public static let surpriseProtocolInvalid = Self("model.surprise-protocol-invalid", .badData)
    /// A planning setting is out of range.
    public static let planSettingsInvalid = Self("model.plan-settings-invalid", .usage)
    /// A model computed NaN or infinite values.
    public static let resultNotFinite = Self("model.result-not-finite", .badData)
    /// Too few action sequences have a finite energy.
    public static let energyNotFinite = Self("model.energy-not-finite", .badData)
}
