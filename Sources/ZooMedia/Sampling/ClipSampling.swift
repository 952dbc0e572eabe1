// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

/// Which frames of a video make the clips that a model takes.
///
/// Source: facebookresearch/vjepa2 `src/datasets/video_dataset.py` (`loadvideo_decord`).
public struct ClipSampling: Sendable, Equatable {
    /// The distance between two frames of a clip.
    public enum Step: Sendable, Equatable {
        /// In frames of the video.
        case frames(Int)
        /// As many as make so many frames per second: `ceil(rate of the video) / rate`, rounded down.
        case rate(Int)
        /// As many as spread a clip over so many seconds.
        case seconds(Double)
    }

    /// Where in its part of the video a clip begins, when the part is longer than the clip.
    ///
    /// Upstream draws this at random, also when it evaluates.
    public enum Start: Sendable, Equatable {
        /// At the beginning of the part.
        case first
        /// Anywhere, with every possibility equally likely, drawn from this seed.
        case random(seed: UInt64)
    }

    /// Frames of one clip.
    public var frames: Int
    /// The distance between two of them.
    public var step: Step
    /// Clips of one video.
    public var clips: Int
    /// Whether clips may share frames when the video is too short for them side by side.
    public var allowsOverlap: Bool
    /// Where clips begin.
    public var start: Start

    /// Frame sampling by these rules.
    public init(
        frames: Int,
        step: Step,
        clips: Int = 1,
        allowsOverlap: Bool = true,
        start: Start = .first
    ) {
        self.frames = frames
        self.step = step
        self.clips = clips
        self.allowsOverlap = allowsOverlap
        self.start = start
    }
}

/// The frames that were chosen.
public struct SampledClips: Sendable, Equatable {
    /// For each clip the index of each of its frames.
    public let clips: [[Int]]
    /// The distance between two frames, in frames of the video.
    public let step: Int
    /// For each clip where in its part of the video it began; nil when there was nothing to choose.
    public let starts: [Int?]

    /// The frames of all clips, one clip after the other.
    public var indices: [Int] { clips.flatMap { $0 } }
}

extension ClipSampling {
    /// Chooses frames of a video.
    ///
    /// - Parameters:
    ///   - frameCount: Frames of the video.
    ///   - frameRate: Its average frames per second; needed unless the step is in frames.
    /// - Returns: The frames of each clip, and what was drawn or computed to choose them.
    /// - Throws: ``ZooError`` with code `media.sampling-invalid`.
    public func clips(frameCount: Int, frameRate: Double?) throws(ZooError) -> SampledClips {
        let step = try step(frameRate: frameRate)
        let (length, overflow) = frames.multipliedReportingOverflow(by: step)
        guard frames > 0, clips > 0, frameCount > 0, !overflow else {
            throw Self.invalid(
                "\(clips) clips of \(frames) frames cannot be taken from \(frameCount)"
            )
        }
        let part = frameCount / clips
        var generator = SplitMix64(seed: start)
        var chosen: [[Int]] = []
        var starts: [Int?] = []
        for clip in 0..<clips {
            if part > length {
                let first = start == .first ? 0 : Int(generator.next(below: UInt64(part - length)))
                let spread = Self.spread(from: first, to: first + length, count: frames)
                chosen.append(
                    spread.map { Int(min($0, Double(first + length - 1))) + clip * part }
                )
                starts.append(first)
                continue
            }
            starts.append(nil)
            if allowsOverlap {
                let last = min(length, frameCount) - 1
                let shift = frameCount > length ? (frameCount - length) / (clips - 1) : 0
                chosen.append(padded(last, step: step, below: last).map { $0 + clip * shift })
            } else {
                guard part > 0 else {
                    throw Self.invalid(
                        "\(frameCount) frames cannot be cut into \(clips) clips without overlap"
                    )
                }
                chosen.append(padded(part, step: step, below: part).map { $0 + clip * part })
            }
        }
        return SampledClips(clips: chosen, step: step, starts: starts)
    }

    private func step(frameRate: Double?) throws(ZooError) -> Int {
        let step: Int
        switch self.step {
        case .frames(let count): step = count
        case .rate(let rate):
            guard rate > 0 else {
                throw Self.invalid("\(rate) frames per second cannot be sampled")
            }
            step = try Self.wholeRate(frameRate) / rate
        case .seconds(let seconds):
            let spread = seconds * Double(try Self.wholeRate(frameRate)) / Double(max(frames, 1))
            guard spread.isFinite, abs(spread) < 1e9 else {
                throw Self.invalid("\(seconds) seconds cannot be sampled")
            }
            step = Int(spread)
        }
        guard step > 0 else {
            throw Self.invalid(
                "frames would be \(step) apart; the video has "
                    + (frameRate.map { "\($0)" } ?? "no known") + " frames per second"
            )
        }
        return step
    }

    private static func wholeRate(_ frameRate: Double?) throws(ZooError) -> Int {
        guard let frameRate, frameRate > 0, frameRate < 1e6 else {
            throw invalid("the video does not say how many frames per second it has")
        }
        return Int(frameRate.rounded(.up))
    }

    /// `count` numbers from `start` to `end`, both included, computed as `numpy.linspace` does.
    private static func spread(from start: Int, to end: Int, count: Int) -> [Double] {
        guard count > 1 else { return count == 1 ? [Double(start)] : [] }
        let step = Double(end - start) / Double(count - 1)
        return (0..<count).map {
            $0 == count - 1 ? Double(end) : Double($0) * step + Double(start)
        }
    }

    /// As many numbers up to `end` as steps fit, then `end` until the clip is full; truncated, and
    /// below `limit`.
    private func padded(_ end: Int, step: Int, below limit: Int) -> [Int] {
        let count = end / step
        let spread = Self.spread(from: 0, to: end, count: count)
        let all = spread + Array(repeating: Double(end), count: frames - count)
        // A video of one frame has no frame below its last one.
        return all.map { max(Int(min($0, Double(limit - 1))), 0) }
    }

    static func invalid(_ message: String) -> ZooError {
        ZooError(.samplingInvalid, message, remedy: "choose other frames, steps or clips")
    }
}

/// Sebastiano Vigna's SplitMix64, so that a seed means the same clips everywhere.
private struct SplitMix64 {
    private var state: UInt64

    init(seed start: ClipSampling.Start) {
        if case .random(let seed) = start { state = seed } else { state = 0 }
    }

    /// A number from 0 up to and without `bound`, all equally likely but for 2^-64 · `bound`.
    mutating func next(below bound: UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        word ^= word >> 31
        return word.multipliedFullWidth(by: bound).high
    }
}
