// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooMedia

/// Which frames of a video to read, and which way up.
public struct FrameSelection: Hashable, Sendable {
    /// The values that ``count`` and ``step`` accept.
    public static let range = 1...65_536

    /// Frames to read; nil for as many as the model was trained on.
    public var count: Int?
    /// Distance between two frames in frames of the video; nil spreads the frames over the whole video.
    public var step: Int?
    /// Whether images and frames are turned as EXIF or the display matrix says.
    public var orientation: Orientation

    /// Selects frames; both numbers must lie in ``range``.
    public init(count: Int? = nil, step: Int? = nil, orientation: Orientation = .upright) {
        for value in [count, step] {
            precondition(value.map(Self.range.contains) ?? true, "not in \(Self.range)")
        }
        self.count = count
        self.step = step
        self.orientation = orientation
    }
}
