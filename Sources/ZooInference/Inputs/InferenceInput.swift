// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooModels
public import ZooTensor

/// Preprocessed pixels for a model, and their source.
public struct InferenceInput: Sendable {
    /// The path of the file or folder.
    public let name: String
    /// Normalised pixels, [batch, frames, channels, height, width], or [batch, channels, height,
    /// width] of images in a tensor file.
    public let pixelValues: Tensor
    /// Frames per second of the video, if known.
    public let frameRate: Double?
    /// The tensor file, if the input is one.
    public let tensors: Clip?
    /// The index in the video of each frame of ``pixelValues``; nil for tensor files.
    public let frameIndices: [Int]?

    init(
        name: String,
        pixelValues: Tensor,
        frameRate: Double? = nil,
        tensors: Clip? = nil,
        frameIndices: [Int]? = nil
    ) {
        self.name = name
        self.pixelValues = pixelValues
        self.frameRate = frameRate
        self.tensors = tensors
        self.frameIndices = frameIndices
    }

    /// Returns the index in the video of a frame of ``pixelValues``.
    public func sourceFrame(_ index: Int) -> Int {
        frameIndices.map { $0[min(index, $0.count - 1)] } ?? index
    }
}

/// Clips and crops of a video for a classifier.
public struct InferenceViews: Sendable {
    /// [1, views, clips, frames, channels, height, width], or the shape in the tensor file.
    public let pixelValues: Tensor
    /// The indices in the video of the frames of each clip; nil for images and tensor files.
    public let frameIndices: [[Int]]?
}
