// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Limits of files, checked before memory is allocated.
public struct MediaLimits: Sendable, Equatable {
    /// Pixels of one image or frame.
    public var pixels: Int
    /// Frames of a video, a folder or an animation.
    public var frames: Int
    /// Bytes of one image file.
    public var imageFileBytes: Int
    /// Bytes of all the frames that one call returns.
    public var clipBytes: Int

    /// Limits that no sensible file reaches: 64 megapixels, a million frames, files of 256 MiB,
    /// clips of 4 GiB.
    public init(
        pixels: Int = 64 << 20,
        frames: Int = 1_000_000,
        imageFileBytes: Int = 256 << 20,
        clipBytes: Int = 4 << 30
    ) {
        self.pixels = pixels
        self.frames = frames
        self.imageFileBytes = imageFileBytes
        self.clipBytes = clipBytes
    }
}
