// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// Where a thing was and where the model expects it: one small drawing for each sample.
enum PathFigure {
    /// The figure.
    static func markup(_ title: String, _ all: [Exhibit.Paths]) -> Markup {
        SampleDrawing.figure(
            title,
            all.map(drawing),
            [
                (SampleDrawing.dotMark("seen"), "seen"),
                (SampleDrawing.lineMark("actual"), "actual"),
                (SampleDrawing.lineMark("predicted"), "predicted by the model"),
            ]
        )
    }

    private static func drawing(_ paths: Exhibit.Paths) -> Markup {
        let drawing = SampleDrawing(width: paths.width, height: paths.height)
        func line(_ positions: [Exhibit.Paths.Position], _ style: String) -> [Markup] {
            [drawing.line(positions, style)] + positions.map { drawing.dot($0, "\(style) point") }
        }
        let distances = zip(paths.actual, paths.predicted).map { actual, predicted in
            let (dx, dy) = (predicted.x - actual.x, predicted.y - actual.y)
            return (dx * dx + dy * dy).squareRoot()
        }
        let mean = distances.reduce(0, +) / Double(max(1, distances.count))
        return drawing.markup(
            title: "Sample \(paths.sample)",
            description: "\(paths.seen.count) positions seen, \(paths.actual.count) predicted, "
                + "\(mean.short) px from the actual ones in the mean",
            paths.seen.map { drawing.dot($0, "seen") } + line(paths.actual, "actual")
                + line(paths.predicted, "predicted")
        )
    }
}
