// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooModels
public import ZooTensor

/// Pixels as a model takes them, and where they come from.
public struct InferenceInput: Sendable {
    /// The path of the file or folder.
    public let name: String
    /// Normalised pixels, [batch, frames, channels, height, width], or [batch, channels, height, width]
    /// of images in a tensor file.
    public let pixelValues: Tensor
    /// Frames per second of the video, if known.
    public let frameRate: Double?
    /// The tensor file, if the input is one.
    public let tensors: Clip?
    /// For each frame of ``pixelValues``, its index in the video; nil for tensor files.
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

    /// The index in the source of a frame of ``pixelValues``.
    public func sourceFrame(_ index: Int) -> Int {
        frameIndices.map { $0[min(index, $0.count - 1)] } ?? index
    }
}

/// Clips and crops of a video, as a classifier takes them.
public struct InferenceViews: Sendable {
    /// [1, views, clips, frames, channels, height, width], or the shape that a tensor file holds.
    public let pixelValues: Tensor
    /// For each clip, the indices of its frames in the video; nil for images and tensor files.
    public let frameIndices: [[Int]]?
}
