// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooInference
package import ZooModels

/// Draws surprise over time: one curve for each context length.
package struct SurpriseDrawing {
    private let surprise: Surprise
    /// Maps the index of a frame to a value on the horizontal axis.
    private let time: (Int) -> Double
    /// The name of the horizontal axis, with its unit.
    private let axis: String

    /// Creates a drawing.
    ///
    /// - Parameters:
    ///   - surprise: the surprise of each window.
    ///   - clip: the clip that was measured, for the time axis.
    package init(_ surprise: Surprise, of clip: InferenceInput) {
        self.surprise = surprise
        if let rate = clip.frameRate {
            time = { Double(clip.sourceFrame($0)) / rate }
            axis = "time of the first predicted frame in seconds"
        } else {
            time = { Double(clip.sourceFrame($0)) }
            axis = "number of the first predicted frame"
        }
    }

    private static let dashes = ["", "6 4", "2 3", "8 3 2 3"]

    /// The SVG document; each point is at the first predicted frame of its window.
    package var svg: String {
        let contexts = surprise.method.contexts
        var curves: [(name: String, points: [(Double, Double)], ink: SVGCanvas.Ink, dash: String)] =
            []
        for (video, windows) in surprise.videos.enumerated() {
            for (index, context) in contexts.enumerated() {
                let points = windows.map { (time($0.start + context), Double($0.values[index])) }
                let name = "\(context) frames seen"
                curves.append(
                    (
                        surprise.videos.count > 1 ? "video \(video), \(name)" : name, points,
                        .series(index), Self.dashes[video % Self.dashes.count]
                    )
                )
            }
        }
        let all = curves.flatMap(\.points)
        let axes = ChartAxes(
            horizontal: .init(
                name: axis,
                low: all.map(\.0).min() ?? 0,
                high: all.map(\.0).max() ?? 1
            ),
            vertical: .init(
                name: "surprise (mean absolute difference)",
                low: 0,
                high: max(all.map(\.1).max() ?? 1, 1e-9) * 1.1
            ),
            corner: .init(x: 80, y: 40),
            width: 690,
            height: 300
        )
        let legend = axes.corner.y + axes.height + 72
        var canvas = SVGCanvas(
            title: "Surprise over time",
            width: 800,
            height: legend + SVGCanvas.legendRow * Double(curves.count)
        )
        axes.draw(on: &canvas)
        for curve in curves {
            canvas.curve(curve.points.map(axes.place), curve.ink, dashes: curve.dash)
        }
        canvas.legend(
            curves.map { (.sample(dashes: $0.dash), $0.ink, $0.name) },
            at: .init(x: axes.corner.x, y: legend)
        )
        return canvas.document
    }
}
