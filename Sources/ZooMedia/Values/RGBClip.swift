// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Pictures of one size, in the order of time.
public struct RGBClip: Sendable, Equatable {
    /// The pictures; at least one.
    public let frames: [RGBImage]
    /// Where each picture stands in the file it came from, counted from 0; a picture may repeat.
    public let indices: [Int]
    /// Average pictures per second of the file; nil when it does not say, and for still images.
    public let frameRate: Double?

    /// Columns of each picture.
    public var width: Int { frames[0].width }
    /// Rows of each picture.
    public var height: Int { frames[0].height }

    /// A clip of pictures that all have one size.
    public init(frames: [RGBImage], indices: [Int], frameRate: Double? = nil) {
        precondition(
            !frames.isEmpty && frames.count == indices.count
                && frames.allSatisfy {
                    $0.width == frames[0].width && $0.height == frames[0].height
                },
            "a clip is made of pictures of one size, each with its index"
        )
        self.frames = frames
        self.indices = indices
        self.frameRate = frameRate
    }

    /// One picture `count` times, the way video models see an image.
    public init(repeating image: RGBImage, count: Int) {
        self.init(
            frames: Array(repeating: image, count: count),
            indices: Array(repeating: 0, count: count)
        )
    }
}
