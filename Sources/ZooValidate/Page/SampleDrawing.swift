// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// A small drawing over the picture of one sample; lengths are per cent of the longer side of the picture.
struct SampleDrawing {
    private let scale: Double
    private let width: Double
    private let height: Double

    /// Prepares a drawing over a picture of some pixels.
    init(width: Int, height: Int) {
        scale = 100 / Double(max(width, height))
        self.width = Double(width) * scale
        self.height = Double(height) * scale
    }

    /// A length in pixels.
    func length(_ pixels: Double) -> String { (pixels * scale).place }

    /// A position in pixels; what is outside of the picture is drawn at its edge.
    func place(_ position: Exhibit.Paths.Position) -> (x: String, y: String) {
        (
            Scale(from: 0, to: width).place(position.x * scale, 0, width).place,
            Scale(from: 0, to: height).place(position.y * scale, 0, height).place
        )
    }

    /// A line through positions.
    func line(_ positions: [Exhibit.Paths.Position], _ style: String) -> Markup {
        let points = positions.map(place).map { "\($0.x) \($0.y)" }
        return .element("polyline", ["class": style, "points": points.joined(separator: " ")])
    }

    /// A dot at a position.
    func dot(_ position: Exhibit.Paths.Position, _ style: String) -> Markup {
        let (x, y) = place(position)
        return .element("path", ["class": style, "d": "M\(x) \(y)h0"])
    }

    /// The drawing: shapes in the frame of the picture.
    func markup(title: String, description: String, _ shapes: [Markup]) -> Markup {
        .element(
            "svg",
            ["viewBox": "-3 -3 \((width + 6).place) \((height + 6).place)", "role": "img"],
            [
                .element("title", [:], title), .element("desc", [:], description),
                .element(
                    "rect",
                    [
                        "class": "frame", "x": "-2", "y": "-2", "width": (width + 4).place,
                        "height": (height + 4).place, "rx": "2",
                    ]
                ),
            ] + shapes
        )
    }

    /// A figure of drawings side by side.
    ///
    /// - Parameters:
    ///   - title: the caption.
    ///   - drawings: one for each sample.
    ///   - legend: what the marks mean.
    /// - Returns: the figure.
    static func figure(
        _ title: String,
        _ drawings: [Markup],
        _ legend: [(mark: Markup, meaning: String)]
    ) -> Markup {
        .element(
            "figure",
            ["class": "full"],
            [
                .element("figcaption", [:], title),
                .element("div", ["class": "paths"], drawings),
                .element("ul", ["class": "legend"], legend.map { Legend.row($0.mark, $0.meaning) }),
            ]
        )
    }

    /// A dot in a legend.
    static func dotMark(_ style: String) -> Markup {
        .element("path", ["class": style, "d": "M14 5h0"])
    }

    /// A line in a legend.
    static func lineMark(_ style: String) -> Markup {
        .element("path", ["class": style, "d": "M1 5H27"])
    }
}
