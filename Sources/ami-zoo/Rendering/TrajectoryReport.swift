// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooDrawing
internal import ZooInference
internal import ZooModels

/// A trajectory and the name of the model that predicted it, as `predict` shows them.
struct TrajectoryReport {
    let model: String
    let reading: TrajectoryReading

    var json: JSONValue {
        func point(_ point: TrajectoryReading.Point) -> JSONValue {
            [.number(point.x.rounded3), .number(point.y.rounded3)]
        }
        func landing(_ landing: TrajectoryReading.Landing) -> JSONValue {
            ["x": .number(landing.x.rounded3), "frame": .number(landing.frame.rounded3)]
        }
        var members: [String: JSONValue] = [
            "contextFrames": .integer(reading.contextFrames),
            "positions": .array(reading.predicted.positions.map(point)),
            "landing": landing(reading.predicted.landing),
        ]
        if let truePositions = reading.truePositions {
            members["truePositions"] = .array(
                truePositions.dropFirst(reading.contextFrames).map(point)
            )
        }
        if let positionErrors = reading.positionErrors {
            members["positionErrors"] = .array(positionErrors.map { .number($0.rounded3) })
        }
        if let trueLanding = reading.trueLanding {
            members["trueLanding"] = landing(trueLanding)
            members["landingError"] = [
                "x": .number(abs(reading.predicted.landing.x - trueLanding.x).rounded3),
                "frames": .number(
                    abs(reading.predicted.landing.frame - trueLanding.frame).rounded3
                ),
            ]
        }
        return .object(members)
    }

    var text: String {
        let landing = reading.predicted.landing
        var lines = [
            "\(model) saw \(reading.contextFrames) frames and predicted \(reading.predicted.positions.count)",
            "lands at x = \(landing.x.fixed1) px, frame \(landing.frame.fixed1)",
        ]
        if let trueLanding = reading.trueLanding {
            lines[1] +=
                "  (truth: x = \(trueLanding.x.fixed1) px, frame \(trueLanding.frame.fixed1); "
                + "off by \(abs(landing.x - trueLanding.x).fixed1) px and "
                + "\(abs(landing.frame - trueLanding.frame).fixed1) frames)"
        }
        if let errors = reading.positionErrors, !errors.isEmpty {
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
    /// Rounded to thousandths.
    var rounded3: Double { (self * 1000).rounded() / 1000 }
}
