// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooModels
internal import ZooTensor

/// A predicted trajectory, and the true one if the clip file has it.
public struct TrajectoryReading: Sendable {
    /// A position in a frame, in pixels.
    public typealias Point = TrajectoryReadOut.Point
    /// The position in pixels and the time in frames of the landing.
    public typealias Landing = TrajectoryReadOut.Landing

    /// The number of context frames.
    public let contextFrames: Int
    /// The predicted trajectory.
    public let predicted: TrajectoryReadOut.Trajectory
    /// The ball's true position in every frame of the clip, if known.
    public let truePositions: [Point]?
    /// The ball's true landing, if known.
    public let trueLanding: Landing?

    /// Reads the trajectory from a prediction.
    ///
    /// - Parameters:
    ///   - latents: the predicted features of one clip.
    ///   - readOut: the read-out of the model.
    ///   - clip: the clip; its file may hold `positions` [1, frames, 2] and `landing` [1, 2].
    /// - Throws: `ZooError` with code `model.read-out-invalid`, also if there is more than one
    ///   clip.
    public init(
        of latents: TokenFeatures,
        by readOut: TrajectoryReadOut,
        clip: InferenceInput
    ) throws(ZooError) {
        guard clip.pixelValues.shape[0] == 1 else {
            throw ZooError(
                .readOutInvalid,
                "the input holds \(clip.pixelValues.shape[0]) clips",
                remedy: "pass a file with a single clip"
            )
        }
        contextFrames = readOut.contextFrames
        predicted = try readOut.trajectory(of: latents.values)
        let frames = clip.pixelValues.shape[1]
        truePositions = (clip.tensors?.values("positions", rank: 3)).flatMap { tensor in
            guard tensor.shape == Shape([1, frames, 2]) else { return nil }
            return (0..<frames).map {
                Point(x: Double(tensor[0, $0, 0]), y: Double(tensor[0, $0, 1]))
            }
        }
        trueLanding = clip.tensors?.values("landing", rank: 2).flatMap { tensor in
            guard tensor.shape == Shape([1, 2]) else { return nil }
            return Landing(x: Double(tensor[0, 0]), frame: Double(tensor[0, 1]))
        }
    }

    /// The distance in pixels between predicted and true position in each predicted frame, if
    /// known.
    public var positionErrors: [Double]? {
        truePositions.map { truth in
            zip(predicted.positions, truth.dropFirst(contextFrames)).map { one, other in
                ((one.x - other.x) * (one.x - other.x) + (one.y - other.y) * (one.y - other.y))
                    .squareRoot()
            }
        }
    }
}
