// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooMedia

/// Which frames of a video are the clips of a sample.
enum FrameRule: Sendable, Equatable {
    /// As many as given from the first frame to the last one: numpy's `round(linspace(0, T - 1, frames))`.
    ///
    /// Frames repeat in shorter videos, and in images, which are videos of one frame.
    case uniform(frames: Int)
    /// From the first frame, one every `step` frames.
    case every(step: Int, frames: Int)
    /// Clips side by side, each from the first possible frame of its part of the video.
    ///
    /// As ``ClipSampling``; upstream draws the first frame of long videos at random.
    case segments(clips: Int, step: Int, frames: Int)

    private enum Rule: String, CaseIterable { case uniform, every, segments }

    /// Reads the parameter `sampling`.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ object: JSONObject) throws(ZooError) {
        let frames = try object.integer("frames", in: 1...4096)
        switch try object.choice("rule", of: Rule.self) {
        case .uniform: self = .uniform(frames: frames)
        case .every:
            self = .every(step: try object.integer("step", in: 1...4096), frames: frames)
        case .segments:
            self = .segments(
                clips: try object.integer("clips", in: 1...256),
                step: try object.integer("step", in: 1...4096),
                frames: frames
            )
        }
    }

    /// The canonical form.
    var json: JSONValue {
        switch self {
        case .uniform(let frames):
            ["rule": .string(Rule.uniform.rawValue), "frames": .integer(frames)]
        case .every(let step, let frames):
            [
                "rule": .string(Rule.every.rawValue), "step": .integer(step),
                "frames": .integer(frames),
            ]
        case .segments(let clips, let step, let frames):
            [
                "rule": .string(Rule.segments.rawValue), "clips": .integer(clips),
                "step": .integer(step), "frames": .integer(frames),
            ]
        }
    }

    /// The number of frames of all clips.
    var frames: Int {
        switch self {
        case .uniform(let frames), .every(_, let frames): frames
        case .segments(let clips, _, let frames): clips * frames
        }
    }

    /// The frames of each clip.
    ///
    /// - Parameters:
    ///   - count: the number of frames of the video, at least 1.
    ///   - path: the video, for messages.
    /// - Returns: for each clip the index of each of its frames.
    /// - Throws: ``ZooError`` with code `evaluation.clip-too-short`.
    func clips(frameCount count: Int, of path: String) throws(ZooError) -> [[Int]] {
        switch self {
        case .uniform(let frames):
            // numpy computes i * step, and rounds half to even.
            let step = frames > 1 ? Double(count - 1) / Double(frames - 1) : 0
            return [
                (0..<frames).map { index in
                    index == frames - 1 && frames > 1
                        ? count - 1
                        : Int((Double(index) * step).rounded(.toNearestOrEven))
                }
            ]
        case .every(let step, let frames):
            let needed = (frames - 1) * step + 1
            guard count >= needed else {
                throw ZooError(
                    .clipTooShort,
                    "'\(path)' has \(count) frames, and the suite needs \(needed)",
                    remedy: "get the video again, or use a suite whose clips are shorter"
                )
            }
            return [(0..<frames).map { $0 * step }]
        case .segments(let clips, let step, let frames):
            return try ClipSampling(frames: frames, step: .frames(step), clips: clips)
                .clips(frameCount: count, frameRate: nil).clips
        }
    }
}
