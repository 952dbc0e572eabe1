// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooInference
internal import ZooModels
internal import ZooTensor

/// Draws a predicted path over the true one.
package struct TrajectoryDrawing {
    private let model: String
    private let reading: TrajectoryReading
    private let clip: InferenceInput

    /// Creates a drawing.
    ///
    /// - Parameters:
    ///   - model: the name of the model, for the title.
    ///   - reading: the predicted trajectory.
    ///   - clip: the clip that the model was given.
    package init(model: String, reading: TrajectoryReading, clip: InferenceInput) {
        self.model = model
        self.reading = reading
        self.clip = clip
    }

    /// The longer side of the frame on the drawing, in pixels.
    private static let side = 448.0
    /// Dashes of the predicted path.
    private static let dashes = "6 4"

    /// The SVG document: seen, true and predicted path, and a cross at each landing point.
    package var svg: String {
        let shape = clip.pixelValues.shape
        let (width, height) = (Double(shape[4]), Double(shape[3]))
        let scale = Self.side / max(width, height)
        let axes = ChartAxes(
            horizontal: .init(name: "x in pixels", low: 0, high: width),
            vertical: .init(name: "y in pixels", low: 0, high: height, isDownwards: true),
            corner: .init(x: 80, y: 40),
            width: width * scale,
            height: height * scale
        )
        let (seen, truth, predicted) = (
            SVGCanvas.Ink.muted, SVGCanvas.Ink.series(2), SVGCanvas.Ink.series(0)
        )
        let landing = reading.predicted.landing
        var legend: [(mark: SVGCanvas.Mark, ink: SVGCanvas.Ink, text: String)] = [
            (.sample(dashes: Self.dashes), predicted, "predicted"),
            (
                .cross, predicted,
                "predicted landing at x = \(landing.x.fixed1) pixels, frame \(landing.frame.fixed1)"
            ),
        ]
        if reading.truePositions != nil {
            legend =
                [
                    (.sample(dashes: ""), seen, "seen by the model"),
                    (.sample(dashes: ""), truth, "true"),
                ] + legend
        }
        if let landing = reading.trueLanding {
            legend.append(
                (
                    .cross, truth,
                    "true landing at x = \(landing.x.fixed1) pixels, frame \(landing.frame.fixed1)"
                )
            )
        }
        let top = axes.corner.y + axes.height + 72
        var canvas = SVGCanvas(
            title: "Trajectory predicted by \(model)",
            width: max(axes.corner.x + axes.width + 30, 480),
            height: top + SVGCanvas.legendRow * Double(legend.count)
        )
        axes.draw(on: &canvas)
        func places(_ points: some Sequence<TrajectoryReading.Point>) -> [SVGCanvas.Point] {
            points.map { axes.place($0.x, $0.y) }
        }
        if let points = reading.truePositions {
            canvas.curve(places(points.prefix(reading.contextFrames)), seen)
            canvas.curve(places(points.dropFirst(max(reading.contextFrames - 1, 0))), truth)
        }
        canvas.curve(places(reading.predicted.positions), predicted, dashes: Self.dashes)
        if let landing = reading.trueLanding {
            canvas.mark(.cross, at: axes.place(landing.x, height), truth)
        }
        canvas.mark(.cross, at: axes.place(landing.x, height), predicted)
        canvas.legend(legend, at: .init(x: 24, y: top))
        return canvas.document
    }
}
