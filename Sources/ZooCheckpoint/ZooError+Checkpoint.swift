// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// A folder or file holds no weights in a format this program reads.
    public static let checkpointFormatUnknown = Self("checkpoint.format-unknown", .badData)
    /// A folder holds no weights at all.
    public static let checkpointMissing = Self("checkpoint.not-found", .notFound)

    /// A ZIP file breaks the rules of its format, or says two things.
    public static let zipMalformed = Self("checkpoint.zip-malformed", .badData)
    /// A ZIP file is compressed.
    public static let zipCompressed = Self("checkpoint.zip-compressed", .badData)
    /// A ZIP file is encrypted.
    public static let zipEncrypted = Self("checkpoint.zip-encrypted", .badData)
    /// A record of a ZIP file does not have the checksum that the file states.
    public static let zipChecksum = Self("checkpoint.zip-checksum", .badData)
    /// A file is a TorchScript program.
    public static let torchScript = Self("checkpoint.torchscript", .badData)
    /// A file is a tar file, as PyTorch wrote until 2017.
    public static let torchTar = Self("checkpoint.torch-tar", .badData)
    /// A PyTorch file lacks parts, or has them in the wrong places.
    public static let torchLayout = Self("checkpoint.torch-layout", .badData)
    /// A tensor of a PyTorch file reaches outside its storage.
    public static let torchTensorInvalid = Self("checkpoint.tensor-invalid", .badData)
    /// A pickle breaks the rules of its format.
    public static let pickleMalformed = Self("checkpoint.pickle-malformed", .badData)
    /// A pickle does what plain data does not need.
    public static let pickleInstruction = Self("checkpoint.pickle-opcode", .badData)
    /// A pickle names something that is not plain data: opened with Python, it would run code.
    public static let pickleGlobal = Self("checkpoint.pickle-global", .badData)
    /// A pickle takes more than any checkpoint needs.
    public static let pickleLimit = Self("checkpoint.pickle-limit", .badData)
    /// A NumPy array breaks the rules of its format.
    public static let numPyMalformed = Self("checkpoint.numpy-malformed", .badData)

    /// A header is longer than the format allows.
    public static let safetensorsHeaderTooLarge = Self(
        "checkpoint.safetensors-header-too-large",
        .badData
    )
    /// A file ends before its header does.
    public static let safetensorsHeaderTruncated = Self(
        "checkpoint.safetensors-header-truncated",
        .badData
    )
    /// A header is not a JSON object.
    public static let safetensorsHeaderMalformed = Self(
        "checkpoint.safetensors-header-malformed",
        .badData
    )
    /// A name appears twice in an object of the header.
    public static let safetensorsDuplicateKey = Self(
        "checkpoint.safetensors-duplicate-key",
        .badData
    )
    /// A tensor has an empty name, a reserved one, or one with control characters.
    public static let safetensorsNameInvalid = Self(
        "checkpoint.safetensors-name-invalid",
        .badData
    )
    /// An entry of the header lacks a field or has one of another type.
    public static let safetensorsEntryInvalid = Self(
        "checkpoint.safetensors-entry-invalid",
        .badData
    )
    /// An entry names an element type that does not exist.
    public static let safetensorsDTypeUnknown = Self(
        "checkpoint.safetensors-dtype-unknown",
        .badData
    )
    /// A shape is negative, overflows, or has too many sizes.
    public static let safetensorsShapeInvalid = Self(
        "checkpoint.safetensors-shape-invalid",
        .badData
    )
    /// Offsets are not a pair of increasing numbers.
    public static let safetensorsOffsetsInvalid = Self(
        "checkpoint.safetensors-offsets-invalid",
        .badData
    )
    /// Two tensors claim the same bytes.
    public static let safetensorsOffsetsOverlap = Self(
        "checkpoint.safetensors-offsets-overlap",
        .badData
    )
    /// Bytes between two tensors belong to none.
    public static let safetensorsOffsetsGap = Self(
        "checkpoint.safetensors-offsets-gap",
        .badData
    )
    /// A tensor's bytes are not as many as its type and shape call for.
    public static let safetensorsSizeMismatch = Self(
        "checkpoint.safetensors-size-mismatch",
        .badData
    )
    /// The file ends before the last tensor does.
    public static let safetensorsDataTruncated = Self(
        "checkpoint.safetensors-data-truncated",
        .badData
    )
    /// Bytes after the last tensor belong to none.
    public static let safetensorsTrailingBytes = Self(
        "checkpoint.safetensors-trailing-bytes",
        .badData
    )
    /// The metadata is not a map from strings to strings.
    public static let safetensorsMetadataInvalid = Self(
        "checkpoint.safetensors-metadata-invalid",
        .badData
    )
    /// A BOOL element is neither 0 nor 1.
    public static let safetensorsBoolInvalid = Self(
        "checkpoint.safetensors-bool-invalid",
        .badData
    )

    /// An index of shards is not the document it should be.
    public static let shardIndexMalformed = Self("checkpoint.index-malformed", .badData)
    /// An index of shards names a file outside its folder.
    public static let shardIndexPathUnsafe = Self("checkpoint.index-path-unsafe", .badData)
    /// An index of shards and the shards disagree on where the tensors are.
    public static let shardIndexMismatch = Self("checkpoint.index-mismatch", .badData)

    /// Two files of a component hold a tensor of one name.
    public static let tensorDuplicate = Self("checkpoint.tensor-duplicate", .badData)
    /// Weights that a model needs are not there.
    public static let tensorMissing = Self("checkpoint.tensor-missing", .badData)
    /// A weight has another shape than the model needs.
    public static let tensorShapeMismatch = Self("checkpoint.shape-mismatch", .badData)
    /// A weight has an element type that models cannot compute with.
    public static let tensorDTypeMismatch = Self("checkpoint.dtype-mismatch", .badData)
    /// A checkpoint holds weights that the model does not use.
    public static let tensorUnclaimed = Self("checkpoint.tensor-unclaimed", .badData)
}
