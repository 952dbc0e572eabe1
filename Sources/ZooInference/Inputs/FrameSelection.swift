// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooMedia

/// The frames of a video to read, and their orientation.
public struct FrameSelection: Hashable, Sendable {
    /// The valid range of ``count`` and ``step``.
    public static let range = 1...65_536

    /// Frames to read; nil for as many as the model was trained on.
    public var count: Int?
    /// Frames of the video from one selected frame to the next; nil spreads the frames over the
    /// video.
    public var step: Int?
    /// Whether to apply the orientation that the metadata of an image or a video states.
    public var orientation: Orientation

    /// Creates a selection; `count` and `step` must be in ``range``.
    public init(count: Int? = nil, step: Int? = nil, orientation: Orientation = .upright) {
        for value in [count, step] {
            precondition(value.map(Self.range.contains) ?? true, "not in \(Self.range)")
        }
        self.count = count
        self.step = step
        self.orientation = orientation
    }
}
