// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

/// Windows that slide over a video, for the surprise of intuitive physics.
///
/// Source: facebookresearch/jepa-intuitive-physics
/// `evaluation_code/evals/intuitive_physics/eval.py`.
public struct SlidingWindows: Sendable, Equatable {
    /// The distance between two frames of a window, in frames of the video.
    public var step: Int
    /// Frames of one window.
    public var frames: Int
    /// How far a window moves, in frames of the subsampled video.
    public var stride: Int

    /// Frame sampling: IntPhys has a step of 2, GRASP 10, InfLevel 5 and 32 frames.
    public init(step: Int, frames: Int = 16, stride: Int = 2) {
        self.step = step
        self.frames = frames
        self.stride = stride
    }

    /// The frames of each window, as indices into the video.
    ///
    /// - Parameter frameCount: Frames of the video; the subsampled video has `frameCount / step`.
    /// - Returns: For each window the index of each of its frames.
    /// - Throws: ``ZooError`` with code `media.sampling-invalid` when not even one window fits.
    public func windows(frameCount: Int) throws(ZooError) -> [[Int]] {
        guard step > 0, frames > 0, stride > 0, frameCount / step >= frames else {
            throw ClipSampling.invalid(
                "no window of \(frames) frames, \(step) apart, fits into \(frameCount) frames"
            )
        }
        let kept = frameCount / step
        return Swift.stride(from: 0, through: kept - frames, by: stride).map { first in
            (first..<first + frames).map { $0 * step }
        }
    }
}
