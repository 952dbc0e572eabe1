// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// A folder or file holds no weights in a format this program reads.
    public static let checkpointFormatUnknown = Self("checkpoint.format-unknown", .badData)
    /// A folder holds no weights at all.
    public static let checkpointMissing = Self("checkpoint.not-found", .notFound)

    /// An archive holds several checkpoints.
    public static let checkpointAmbiguous = Self("checkpoint.ambiguous", .usage)

    /// A ZIP file is malformed or contradicts itself.
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
    /// A PyTorch file has missing or misplaced parts.
    public static let torchLayout = Self("checkpoint.torch-layout", .badData)
    /// A tensor of a PyTorch file extends outside its storage or is otherwise invalid.
    public static let torchTensorInvalid = Self("checkpoint.tensor-invalid", .badData)
    /// A pickle is malformed.
    public static let pickleMalformed = Self("checkpoint.pickle-malformed", .badData)
    /// A pickle uses an opcode that plain data does not need.
    public static let pickleInstruction = Self("checkpoint.pickle-opcode", .badData)
    /// A pickle names a function or class that is not allowed; it could run code in Python.
    public static let pickleGlobal = Self("checkpoint.pickle-global", .badData)
    /// A pickle exceeds a limit of the reader.
    public static let pickleLimit = Self("checkpoint.pickle-limit", .badData)
    /// A NumPy array is malformed.
    public static let numPyMalformed = Self("checkpoint.numpy-malformed", .badData)

    /// A header is longer than the format allows.
    public static let safetensorsHeaderTooLarge = Self(
        "checkpoint.safetensors-header-too-large",
        .badData
    )
    /// A file is truncated inside its header.
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
    /// A shape has a negative size, overflows, or has too many axes.
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
    /// The size of a tensor does not match its dtype and shape.
    public static let safetensorsSizeMismatch = Self(
        "checkpoint.safetensors-size-mismatch",
        .badData
    )
    /// The file is truncated before the end of the last tensor.
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

    /// A shard index is malformed.
    public static let shardIndexMalformed = Self("checkpoint.index-malformed", .badData)
    /// A shard index names a file outside its folder.
    public static let shardIndexPathUnsafe = Self("checkpoint.index-path-unsafe", .badData)
    /// A shard index and the shards disagree on the location of the tensors.
    public static let shardIndexMismatch = Self("checkpoint.index-mismatch", .badData)

    /// Two files of a component hold a tensor with the same name.
    public static let tensorDuplicate = Self("checkpoint.tensor-duplicate", .badData)
    /// A checkpoint lacks weights that a model needs.
    public static let tensorMissing = Self("checkpoint.tensor-missing", .badData)
    /// The shape of a weight differs from the shape that the model needs.
    public static let tensorShapeMismatch = Self("checkpoint.shape-mismatch", .badData)
    /// A weight has a dtype that models cannot compute with.
    public static let tensorDTypeMismatch = Self("checkpoint.dtype-mismatch", .badData)
    /// A checkpoint holds weights that the model does not use.
    public static let tensorUnclaimed = Self("checkpoint.tensor-unclaimed", .badData)
}
