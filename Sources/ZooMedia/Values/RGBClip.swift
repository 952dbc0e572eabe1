// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Frames of one size, in the order of time.
public struct RGBClip: Sendable, Equatable {
    /// The frames; at least one.
    public let frames: [RGBImage]
    /// The index of each frame in its file, counted from 0; frames may repeat.
    public let indices: [Int]
    /// Average frames per second of the file; nil when it does not say, and for still images.
    public let frameRate: Double?

    /// Columns of each frame.
    public var width: Int { frames[0].width }
    /// Rows of each frame.
    public var height: Int { frames[0].height }

    /// A clip of frames that all have one size.
    public init(frames: [RGBImage], indices: [Int], frameRate: Double? = nil) {
        precondition(
            !frames.isEmpty && frames.count == indices.count
                && frames.allSatisfy {
                    $0.width == frames[0].width && $0.height == frames[0].height
                },
            "a clip has frames of one size, each with its index"
        )
        self.frames = frames
        self.indices = indices
        self.frameRate = frameRate
    }

    /// One image `count` times, as video models take an image.
    public init(repeating image: RGBImage, count: Int) {
        self.init(
            frames: Array(repeating: image, count: count),
            indices: Array(repeating: 0, count: count)
        )
    }
}
