// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// The contents of a `.safetensors` file with a clip or windows of a time series, and optional other tensors.
public struct Clip: Sendable {
    /// The pixels, [batch, frames, channels, height, width], or [batch, channels, height, width]
    /// for images.
    ///
    /// They are normalised as the model's card says. Windows of a time series are [batch, steps, channels, 1,
    /// 1], in the units of the channels.
    public let pixelValues: Tensor
    /// All tensors of the file.
    public let checkpoint: Checkpoint

    /// Opens a file that holds a tensor `pixel_values`, or `values` [steps, channels] or
    /// [batch, steps, channels] of a time series.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, or a `checkpoint.*` code.
    public init(file path: String) throws(ZooError) {
        checkpoint = try Checkpoint(opening: path)
        if let series = checkpoint["values"], [2, 3].contains(series.shape.rank),
            series.dtype.isComputable, checkpoint["pixel_values"] == nil
        {
            let sizes = (series.shape.rank == 2 ? [1] : []) + series.shape.sizes + [1, 1]
            pixelValues = series.tensor.reshaped(Shape(sizes))
            return
        }
        guard let pixels = checkpoint["pixel_values"], [4, 5].contains(pixels.shape.rank),
            pixels.dtype.isComputable
        else {
            throw ZooError(
                .inputShapeInvalid,
                "'\(path)' has no 'pixel_values' of shape [batch, frames, channels, height, "
                    + "width], or [batch, channels, height, width], in F32, F16 or BF16, and no 'values' "
                    + "[batch, steps, channels] of a time series",
                remedy: "save the output of a transformers video processor: "
                    + "save_file({'pixel_values': pixel_values_videos}, path)"
            )
        }
        pixelValues = pixels.tensor
    }

    /// Returns a tensor of the file as float32; nil if it does not exist or has a different rank.
    public func values(_ name: String, rank: Int) -> Tensor? {
        guard let tensor = checkpoint[name], tensor.shape.rank == rank, tensor.dtype.isComputable
        else { return nil }
        return tensor.tensor
    }

    /// Reads token ids, an I64 tensor [batch, tokens], such as `context_mask` or `target_mask`.
    ///
    /// - Returns: the token ids; nil if the file has no such tensor.
    /// - Throws: `ZooError` with code `model.token-selection-invalid`.
    public func tokens(_ name: String) throws(ZooError) -> TokenSelection? {
        try checkpoint[name].map { tensor throws(ZooError) in
            try TokenSelection(storedIn: tensor, named: name)
        }
    }
}
