// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// A predicted trajectory beside the truth, where the clip carries it.
struct TrajectoryReading {
    typealias Point = TrajectoryReadOut.Point
    typealias Landing = TrajectoryReadOut.Landing

    let model: String
    let contextFrames: Int
    let predicted: TrajectoryReadOut.Trajectory
    /// The ball's place in every frame of the clip.
    let truePositions: [Point]?
    let trueLanding: Landing?

    /// Reads a prediction.
    ///
    /// - Throws: ``ZooError`` with code `model.read-out-invalid`, also for more than one clip.
    init(
        of latents: TokenFeatures,
        by readOut: TrajectoryReadOut,
        clip: InputClip,
        model: String
    ) throws(ZooError) {
        guard clip.pixelValues.shape[0] == 1 else {
            throw ZooError(
                .readOutInvalid,
                "the input holds \(clip.pixelValues.shape[0]) clips",
                remedy: "a trajectory is read from one clip at a time"
            )
        }
        self.model = model
        contextFrames = readOut.contextFrames
        predicted = try readOut.trajectory(of: latents.values)
        let frames = clip.pixelValues.shape[1]
        truePositions = (clip.source?.values("positions", rank: 3)).flatMap { tensor in
            guard tensor.shape == Shape([1, frames, 2]) else { return nil }
            return (0..<frames).map {
                Point(x: Double(tensor[0, $0, 0]), y: Double(tensor[0, $0, 1]))
            }
        }
        trueLanding = clip.source?.values("landing", rank: 2).flatMap { tensor in
            guard tensor.shape == Shape([1, 2]) else { return nil }
            return Landing(x: Double(tensor[0, 0]), frame: Double(tensor[0, 1]))
        }
    }

    /// The distance in pixels between predicted and true place in each predicted frame.
    var positionErrors: [Double]? {
        truePositions.map { truth in
            zip(predicted.positions, truth.dropFirst(contextFrames)).map { one, other in
                ((one.x - other.x) * (one.x - other.x) + (one.y - other.y) * (one.y - other.y))
                    .squareRoot()
            }
        }
    }

    var json: JSONValue {
        func point(_ point: Point) -> JSONValue {
            [.number(point.x.rounded3), .number(point.y.rounded3)]
        }
        func landing(_ landing: Landing) -> JSONValue {
            ["x": .number(landing.x.rounded3), "frame": .number(landing.frame.rounded3)]
        }
        var members: [String: JSONValue] = [
            "contextFrames": .integer(contextFrames),
            "positions": .array(predicted.positions.map(point)),
            "landing": landing(predicted.landing),
        ]
        if let truePositions {
            members["truePositions"] = .array(truePositions.dropFirst(contextFrames).map(point))
        }
        if let positionErrors {
            members["positionErrors"] = .array(positionErrors.map { .number($0.rounded3) })
        }
        if let trueLanding {
            members["trueLanding"] = landing(trueLanding)
            members["landingError"] = [
                "x": .number(abs(predicted.landing.x - trueLanding.x).rounded3),
                "frames": .number(abs(predicted.landing.frame - trueLanding.frame).rounded3),
            ]
        }
        return .object(members)
    }

    var text: String {
        let landing = predicted.landing
        var lines = [
            "\(model) saw \(contextFrames) frames and predicted \(predicted.positions.count)",
            "lands at x = \(landing.x.fixed1) px, frame \(landing.frame.fixed1)",
        ]
        if let trueLanding {
            lines[1] +=
                "  (truth: x = \(trueLanding.x.fixed1) px, frame \(trueLanding.frame.fixed1); "
                + "off by \(abs(landing.x - trueLanding.x).fixed1) px and "
                + "\(abs(landing.frame - trueLanding.frame).fixed1) frames)"
        }
        if let errors = positionErrors, !errors.isEmpty {
            let mean = errors.reduce(0, +) / Double(errors.count)
            lines.append(
                "position off by \(mean.fixed1) px on average, \((errors.last ?? 0).fixed1) px in the "
                    + "last frame"
            )
        }
        return lines.joined(separator: "\n")
    }
}

extension Double {
    /// One digit after the point, for people.
    var fixed1: String {
        guard abs(self) < 1e15 else { return "\(self)" }
        let tenths = Int((self * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    /// Rounded to thousandths.
    var rounded3: Double { (self * 1000).rounded() / 1000 }
}
