// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// The ways to goals that a model planned: one small drawing for each episode.
enum RouteFigure {
    /// The figure.
    static func markup(_ title: String, _ all: [Exhibit.Route]) -> Markup {
        SampleDrawing.figure(
            title,
            all.map(drawing),
            [
                (SampleDrawing.dotMark("seen"), "start"),
                (.element("circle", ["class": "goal", "cx": "14", "cy": "5", "r": "4"]), "goal"),
                (SampleDrawing.lineMark("planned"), "planned with the model"),
                (SampleDrawing.lineMark("straight"), "straight, without the model"),
            ]
        )
    }

    private static func drawing(_ route: Exhibit.Route) -> Markup {
        let drawing = SampleDrawing(width: route.width, height: route.height)
        let outcome = route.steps.map { "reached in \($0) steps" } ?? "not reached"
        let goal = drawing.place(route.goal)
        let walls: [Markup] = route.walls.map { wall in
            .element(
                "rect",
                [
                    "class": "wall", "x": drawing.length(wall.x), "y": drawing.length(wall.y),
                    "width": drawing.length(wall.width), "height": drawing.length(wall.height),
                ]
            )
        }
        let ways = [
            drawing.line(route.baseline, "straight"), drawing.line(route.planned, "planned"),
            .element(
                "circle",
                [
                    "class": "goal", "cx": goal.x, "cy": goal.y,
                    "r": drawing.length(route.tolerance),
                ]
            ),
        ]
        return .element(
            "div",
            [:],
            [
                drawing.markup(
                    title: "Episode \(route.sample): \(outcome)",
                    description: "\(route.planned.count) places on the way that was planned, "
                        + "\(route.baseline.count) on the straight one",
                    walls + ways + route.planned.prefix(1).map { drawing.dot($0, "seen") }
                ),
                .element("p", ["class": "soft"], "episode \(route.sample): \(outcome)"),
            ]
        )
    }
}
