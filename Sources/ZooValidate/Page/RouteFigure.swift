// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// The ways to goals that a model planned: one small drawing for each episode.
enum RouteFigure {
    /// The figure.
    static func markup(_ title: String, _ all: [Exhibit.Route]) -> Markup {
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
                        Legend.row(.element("path", ["class": "seen", "d": "M14 5h0"]), "start"),
                        Legend.row(
                            .element("circle", ["class": "goal", "cx": "14", "cy": "5", "r": "4"]),
                            "goal"
                        ),
                        Legend.row(
                            .element("path", ["class": "planned", "d": "M1 5H27"]),
                            "planned with the model"
                        ),
                        Legend.row(
                            .element("path", ["class": "straight", "d": "M1 5H27"]),
                            "straight, without the model"
                        ),
                    ]
                ),
            ]
        )
    }

    private static func drawing(_ route: Exhibit.Route) -> Markup {
        let scale = 100 / Double(max(route.width, route.height))
        let (width, height) = (Double(route.width) * scale, Double(route.height) * scale)
        func place(_ position: Exhibit.Paths.Position) -> (x: Double, y: Double) {
            // What is outside of the picture is drawn at its edge.
            (
                Scale(from: 0, to: width).place(position.x * scale, 0, width),
                Scale(from: 0, to: height).place(position.y * scale, 0, height)
            )
        }
        func line(_ positions: [Exhibit.Paths.Position], _ style: String) -> Markup {
            let points = positions.map { place($0) }.map { "\($0.x.place) \($0.y.place)" }
            return .element("polyline", ["class": style, "points": points.joined(separator: " ")])
        }
        let outcome = route.steps.map { "reached in \($0) steps" } ?? "not reached"
        let (start, goal) = (route.planned.first.map { place($0) }, place(route.goal))
        let shapes: [Markup] =
            [
                .element("title", [:], "Episode \(route.sample): \(outcome)"),
                .element(
                    "desc",
                    [:],
                    "\(route.planned.count) places on the way that was planned, "
                        + "\(route.baseline.count) on the straight one"
                ),
                .element(
                    "rect",
                    [
                        "class": "frame", "x": "-2", "y": "-2", "width": (width + 4).place,
                        "height": (height + 4).place, "rx": "2",
                    ]
                ),
            ]
            + route.walls.map { wall in
                .element(
                    "rect",
                    [
                        "class": "wall", "x": (wall.x * scale).place, "y": (wall.y * scale).place,
                        "width": (wall.width * scale).place, "height": (wall.height * scale).place,
                    ]
                )
            }
            + [
                line(route.baseline, "straight"), line(route.planned, "planned"),
                .element(
                    "circle",
                    [
                        "class": "goal", "cx": goal.x.place, "cy": goal.y.place,
                        "r": (route.tolerance * scale).place,
                    ]
                ),
            ]
            + (start.map {
                [.element("path", ["class": "seen", "d": "M\($0.x.place) \($0.y.place)h0"])]
            } ?? [])
        return .element(
            "div",
            [:],
            [
                .element(
                    "svg",
                    ["viewBox": "-3 -3 \((width + 6).place) \((height + 6).place)", "role": "img"],
                    shapes
                ),
                .element("p", ["class": "soft"], "episode \(route.sample): \(outcome)"),
            ]
        )
    }
}
