// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// The tensors resemble no family that is known here.
    public static let conversionFamilyUnknown = Self("convert.family-unknown", .badData)
    /// The part of the checkpoint that was asked for is not there.
    public static let conversionComponentMissing = Self("convert.component-not-found", .notFound)
    /// Something that weights cannot tell has to be said.
    public static let conversionOptionNeeded = Self("convert.option-needed", .usage)
    /// An option contradicts the weights.
    public static let conversionOptionInvalid = Self("convert.option-invalid", .usage)
    /// Tensors are missing, left over, or of another shape than the family's.
    public static let conversionTensorsMismatch = Self("convert.tensors-mismatch", .badData)
    /// A number is too large for the element type that was asked for.
    public static let conversionOverflow = Self("convert.overflow", .badData)
    /// The folder to write to is there already.
    public static let conversionDestinationTaken = Self("convert.destination-taken", .inputOutput)
    /// A release does not hold the tensors of the file it is compared with.
    public static let upstreamMismatch = Self("convert.upstream-mismatch", .integrity)
    /// The tensors of a file are not those that the catalogue states.
    package static let importCountsMismatch = Self("import.counts-mismatch", .badData)
    /// A folder has no release record, or one that says nothing about its conversion.
    public static let notConverted = Self("convert.not-converted", .badData)
}
