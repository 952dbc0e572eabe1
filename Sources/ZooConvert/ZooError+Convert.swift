// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// The tensors match no supported family.
    public static let conversionFamilyUnknown = Self("convert.family-unknown", .badData)
    /// The requested part of the checkpoint does not exist.
    public static let conversionComponentMissing = Self("convert.component-not-found", .notFound)
    /// An option is required for a value that the weights do not determine.
    public static let conversionOptionNeeded = Self("convert.option-needed", .usage)
    /// An option contradicts the weights.
    public static let conversionOptionInvalid = Self("convert.option-invalid", .usage)
    /// Tensors are missing or unexpected, or their shapes do not match the family.
    public static let conversionTensorsMismatch = Self("convert.tensors-mismatch", .badData)
    /// A number is too large for the requested dtype.
    public static let conversionOverflow = Self("convert.overflow", .badData)
    /// The folder to write to already exists.
    public static let conversionDestinationTaken = Self("convert.destination-taken", .inputOutput)
    /// A release does not hold the tensors of the upstream file.
    public static let upstreamMismatch = Self("convert.upstream-mismatch", .integrity)
    /// The tensors of a file do not match the catalogue.
    package static let importCountsMismatch = Self("import.counts-mismatch", .badData)
    /// The catalogue names no probe in a file.
    package static let probeUnknown = Self("convert.probe-unknown", .notFound)
    /// A folder has no release record, or its record does not describe a conversion.
    public static let notConverted = Self("convert.not-converted", .badData)
}
