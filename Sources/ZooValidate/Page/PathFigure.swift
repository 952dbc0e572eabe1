// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// Where a thing was and where the model expects it: one small drawing for each sample.
enum PathFigure {
    /// The figure.
    static func markup(_ title: String, _ all: [Exhibit.Paths]) -> Markup {
        .element(
            "figure",
            ["class": "full"],
            [
                .element("figcaption", [:], title),
                .element("div", ["class": "paths"], all.map(drawing)),
                .element(
                    "ul",
                    ["class": "legend"],
                    [
                        Legend.row(.element("path", ["class": "seen", "d": "M14 5h0"]), "seen"),
                        Legend.row(
                            .element("path", ["class": "actual", "d": "M1 5H27"]),
                            "actual"
                        ),
                        Legend.row(
                            .element("path", ["class": "predicted", "d": "M1 5H27"]),
                            "predicted by the model"
                        ),
                    ]
                ),
            ]
        )
    }

    private static func drawing(_ paths: Exhibit.Paths) -> Markup {
        let scale = 100 / Double(max(paths.width, paths.height))
        let (width, height) = (Double(paths.width) * scale, Double(paths.height) * scale)
        func place(_ position: Exhibit.Paths.Position) -> String {
            // What is outside of the picture is drawn at its edge.
            let x = Scale(from: 0, to: width).place(position.x * scale, 0, width)
            let y = Scale(from: 0, to: height).place(position.y * scale, 0, height)
            return "\(x.place) \(y.place)"
        }
        func line(_ positions: [Exhibit.Paths.Position], _ style: String) -> [Markup] {
            [
                .element(
                    "polyline",
                    [
                        "class": style,
                        "points": positions.map(place).joined(separator: " "),
                    ]
                )
            ]
                + positions.map {
                    .element("path", ["class": "\(style) point", "d": "M\(place($0))h0"])
                }
        }
        let distances = zip(paths.actual, paths.predicted).map { actual, predicted in
            let (dx, dy) = (predicted.x - actual.x, predicted.y - actual.y)
            return (dx * dx + dy * dy).squareRoot()
        }
        let mean = distances.reduce(0, +) / Double(max(1, distances.count))
        return .element(
            "svg",
            ["viewBox": "-3 -3 \((width + 6).place) \((height + 6).place)", "role": "img"],
            [
                .element("title", [:], "Sample \(paths.sample)"),
                .element(
                    "desc",
                    [:],
                    "\(paths.seen.count) positions seen, \(paths.actual.count) predicted, "
                        + "\(mean.short) px from the actual ones in the mean"
                ),
                .element(
                    "rect",
                    [
                        "class": "frame", "x": "-2", "y": "-2", "width": (width + 4).place,
                        "height": (height + 4).place, "rx": "2",
                    ]
                ),
            ]
                + paths.seen.map { .element("path", ["class": "seen", "d": "M\(place($0))h0"]) }
                + line(paths.actual, "actual") + line(paths.predicted, "predicted")
        )
    }
}
