// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

/// Which frames show what happens before an action, for EPIC-KITCHENS-100 anticipation.
///
/// Source: facebookresearch/vjepa2 `evals/action_anticipation_frozen/epickitchens.py`
/// (`decode_videos_to_clips`).
public struct AnticipationSampling: Sendable, Equatable {
    /// The frame that the clip ends before, apart from the anticipation time.
    public enum Point: Sendable, Equatable {
        /// The last frame of the action: what Meta's evaluation does as published (`ap` = 0). Of
        /// actions longer than the anticipation time the model then sees a part.
        case stop
        /// The first frame of the action: what the task defines (`ap` = 1).
        case start
    }

    /// Frames of the clip.
    public var frames: Int
    /// Frames per second of the clip.
    public var rate: Int
    /// Seconds between the end of the clip and the point.
    public var anticipation: Double
    /// The frame that time is counted from.
    public var point: Point

    /// Frame sampling; 32 at 8 per second, one second ahead, is the published protocol.
    public init(frames: Int = 32, rate: Int = 8, anticipation: Double = 1, point: Point) {
        self.frames = frames
        self.rate = rate
        self.anticipation = anticipation
        self.point = point
    }

    /// Chooses frames before an action; frames before the video's beginning become frame 0.
    ///
    /// - Parameters:
    ///   - start: The first frame of the action.
    ///   - stop: Its last frame.
    ///   - frameRate: Frames per second of the video.
    /// - Returns: The index of each frame of the clip.
    /// - Throws: ``ZooError`` with code `media.sampling-invalid`.
    public func indices(start: Int, stop: Int, frameRate: Double) throws(ZooError) -> [Int] {
        guard frames > 0, rate > 0, frameRate.isFinite, (0..<1e6).contains(frameRate),
            anticipation.isFinite, abs(anticipation) < 1e6, (0...1 << 40).contains(start),
            (0...1 << 40).contains(stop)
        else {
            throw ClipSampling.invalid(
                "\(frames) frames at \(rate) per second cannot be taken before frames \(start) to "
                    + "\(stop) of a video with \(frameRate) per second"
            )
        }
        let step = Int(frameRate / Double(rate))
        guard step > 0 else {
            throw ClipSampling.invalid(
                "a video with \(frameRate) frames per second has no \(rate) of them"
            )
        }
        let end = (point == .stop ? stop : start) - Int(anticipation * frameRate)
        return (0..<frames).map { max(end - (frames - $0) * step, 0) }
    }
}
