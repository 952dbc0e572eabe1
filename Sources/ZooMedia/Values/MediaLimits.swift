// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a file may ask for before it is refused; checked before memory is taken.
public struct MediaLimits: Sendable, Equatable {
    /// Pixels of one picture.
    public var pixels: Int
    /// Pictures of a video or a folder.
    public var frames: Int
    /// Bytes of one image file.
    public var imageFileBytes: Int
    /// Bytes of all the pictures that one call returns.
    public var clipBytes: Int

    /// Limits that no sensible file reaches: 64 megapixels, a million pictures, files of 256 MiB,
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
