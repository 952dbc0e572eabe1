// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// A linear map from predicted latents to the trajectory of a ball, as in `ami/ball-drop`.
///
/// File `read_outs/trajectory.safetensors`, format `ami-zoo.read-out/1`:
/// `position.weight` [tubelets, 2 · frames, features] and `position.bias` [tubelets, 2 · frames]
/// give x and y of each frame of a predicted tubelet from its flattened latents (tokens row by row,
/// then channels); `landing.weight` [2, tubelets · features] and `landing.bias` [2] give x and the
/// time of the first floor contact from the latents of all tubelets. Positions are in pixels from
/// the top left corner, times in frames from the start of the clip. Fitted by
/// `models/ami/ball-drop/evaluate.py`.
public struct TrajectoryReadOut: Sendable {
    /// A position in a frame in pixels: x to the right, y down.
    public struct Point: Sendable, Equatable {
        /// Pixels from the left edge.
        public let x: Double
        /// Pixels from the top edge.
        public let y: Double

        /// Creates a position.
        public init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// The time and position of the first floor contact.
    public struct Landing: Sendable, Equatable {
        /// Pixels from the left edge.
        public let x: Double
        /// The time in frames from the start of the clip; it may be fractional.
        public let frame: Double

        /// Creates a landing.
        public init(x: Double, frame: Double) {
            self.x = x
            self.frame = frame
        }
    }

    /// A predicted trajectory.
    public struct Trajectory: Sendable, Equatable {
        /// The position of the ball in each predicted frame; the first is frame ``contextFrames``.
        public let positions: [Point]
        /// The position and time of the landing.
        public let landing: Landing
    }

    /// The path of the file in a model folder.
    public static let path = "read_outs/trajectory.safetensors"

    /// The required number of context frames.
    public let contextFrames: Int
    private let positionWeight: Tensor
    private let positionBias: Tensor
    private let landingWeight: Tensor
    private let landingBias: Tensor

    /// Loads the read-out of a model folder.
    ///
    /// - Throws: `ZooError` with code `model.read-out-missing` or `model.read-out-invalid`.
    public init(folder: String) throws(ZooError) {
        let checkpoint: Checkpoint
        do throws(ZooError) {
            checkpoint = try Checkpoint(opening: "\(folder)/\(Self.path)")
        } catch  where error.code.category == .notFound {
            throw ZooError(
                .readOutMissing,
                "the model has no trajectory read-out ('\(Self.path)')",
                remedy: "use a model with this file, such as ami/ball-drop",
                cause: error
            )
        }
        func values(_ name: String, _ rank: Int) throws(ZooError) -> Tensor {
            guard let tensor = checkpoint[name], tensor.dtype == .f32, tensor.shape.rank == rank
            else { throw Self.invalid("it has no F32 tensor '\(name)' of rank \(rank)") }
            return tensor.tensor
        }
        positionWeight = try values("position.weight", 3)
        positionBias = try values("position.bias", 2)
        landingWeight = try values("landing.weight", 2)
        landingBias = try values("landing.bias", 1)
        guard let frames = checkpoint.metadata["context_frames"].flatMap(Int.init),
            (1...65_536).contains(frames)
        else { throw Self.invalid("its metadata does not give 'context_frames'") }
        contextFrames = frames
        let shape = positionWeight.shape
        guard shape[1] % 2 == 0, shape.elementCount > 0,
            positionBias.shape == Shape([shape[0], shape[1]]),
            landingWeight.shape == Shape([2, shape[0] * shape[2]]), landingBias.shape == Shape([2])
        else { throw Self.invalid("the shapes of its tensors are inconsistent") }
    }

    private static func invalid(_ what: String) -> ZooError {
        ZooError(.readOutInvalid, "the trajectory read-out cannot be used: \(what)")
    }

    /// The number of tubelets that it reads.
    public var tubelets: Int { positionWeight.shape[0] }
    /// The number of frames per tubelet.
    public var framesPerTubelet: Int { positionWeight.shape[1] / 2 }
    private var features: Int { positionWeight.shape[2] }

    /// Reads the trajectory of one clip.
    ///
    /// - Parameter latents: [tubelets · tokens, width] of the predicted tubelets, in order.
    /// - Returns: the trajectory.
    /// - Throws: `ZooError` with code `model.read-out-invalid` if the shapes do not match.
    public func trajectory(of latents: Tensor) throws(ZooError) -> Trajectory {
        guard latents.shape.elementCount == tubelets * features else {
            throw Self.invalid(
                "it reads \(tubelets * features) values, and the prediction has "
                    + "\(latents.shape.elementCount)"
            )
        }
        let values = latents.values
        let (weight, bias) = (positionWeight.values, positionBias.values)
        var numbers: [Double] = []
        for row in 0..<bias.count {
            let input = row / positionWeight.shape[1] * features
            numbers.append(
                Self.dot(weight, row * features, values, input, features) + Double(bias[row])
            )
        }
        let positions = stride(from: 0, to: numbers.count, by: 2).map {
            Point(x: numbers[$0], y: numbers[$0 + 1])
        }
        let (mapping, offset) = (landingWeight.values, landingBias.values)
        let landing = (0..<2).map { row in
            Self.dot(mapping, row * values.count, values, 0, values.count) + Double(offset[row])
        }
        return Trajectory(
            positions: positions,
            landing: Landing(x: landing[0], frame: landing[1])
        )
    }

    /// The dot product in double precision, like the fit.
    private static func dot(
        _ a: [Float],
        _ aStart: Int,
        _ b: [Float],
        _ bStart: Int,
        _ count: Int
    ) -> Double {
        var sum = 0.0
        for index in 0..<count { sum += Double(a[aStart + index]) * Double(b[bStart + index]) }
        return sum
    }
}
