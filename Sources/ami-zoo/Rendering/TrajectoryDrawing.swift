// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooInference
internal import ZooModels
internal import ZooTensor

/// Draws a predicted path over the true one.
struct TrajectoryDrawing {
    let reading: TrajectoryReading
    let clip: InferenceInput

    /// Points of the drawing for each pixel of the clip.
    private static let scale = 14.0
    private static let legendHeight = 56.0

    /// The drawing: seen path in grey, true path in green, predicted path in orange, landing places
    /// as crosses.
    var svg: String {
        let shape = clip.pixelValues.shape
        let (width, height) = (Double(shape[4]) * Self.scale, Double(shape[3]) * Self.scale)
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \
            \(number(height + Self.legendHeight))" width="\(number(width))" \
            height="\(number(height + Self.legendHeight))" font-family="sans-serif" font-size="13">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <rect width="\(number(width))" height="\(number(height))" fill="#f3f4f6"/>
            """
        ]
        if let truth = reading.truePositions {
            parts.append(path(Array(truth.prefix(reading.contextFrames)), "#6b7280", dashes: nil))
            parts.append(
                path(Array(truth.dropFirst(reading.contextFrames - 1)), "#15803d", dashes: nil)
            )
        }
        parts.append(path(reading.predicted.positions, "#ea580c", dashes: "6 4"))
        if let landing = reading.trueLanding { parts.append(cross(landing.x, height, "#15803d")) }
        parts.append(cross(reading.predicted.landing.x, height, "#ea580c"))
        parts.append(legend(at: height))
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    private func path(
        _ points: [TrajectoryReading.Point],
        _ colour: String,
        dashes: String?
    ) -> String {
        let places = points.map { (number($0.x * Self.scale), number($0.y * Self.scale)) }
        let line = places.map { "\($0.0),\($0.1)" }.joined(separator: " ")
        let dash = dashes.map { " stroke-dasharray=\"\($0)\"" } ?? ""
        let dots = places.map {
            "<circle cx=\"\($0.0)\" cy=\"\($0.1)\" r=\"4\" fill=\"\(colour)\"/>"
        }
        return """
            <polyline points="\(line)" fill="none" stroke="\(colour)" stroke-width="2"\(dash)/>
            \(dots.joined())
            """
    }

    /// The landing place, on the lower edge of the picture.
    private func cross(_ x: Double, _ y: Double, _ colour: String) -> String {
        let (x, y) = (x * Self.scale, y - 8)
        return """
            <path d="M\(number(x - 6)) \(number(y - 6))l12 12m0 -12l-12 12" stroke="\(colour)" \
            stroke-width="3"/>
            """
    }

    private func legend(at y: Double) -> String {
        let seen = "<tspan fill=\"#6b7280\">● seen</tspan>"
        let truth = reading.truePositions == nil ? "" : "  <tspan fill=\"#15803d\">● true</tspan>"
        let landing = reading.predicted.landing
        return """
            <text x="8" y="\(number(y + 20))">\(seen)\(truth)  \
            <tspan fill="#ea580c">● predicted</tspan>  × landing</text>
            <text x="8" y="\(number(y + 42))">lands at x = \(landing.x.fixed1) px, \
            frame \(landing.frame.fixed1)</text>
            """
    }

    private func number(_ value: Double) -> String { value.fixed1 }
}
