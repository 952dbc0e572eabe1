// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooModels

/// Draws an energy landscape as a heat map: moves along x to the right, along z upwards.
package struct EnergyDrawing {
    private let landscape: EnergyLandscape
    private let truth: Pose?
    private let planned: Pose?

    /// Creates a drawing.
    ///
    /// - Parameters:
    ///   - landscape: the energies.
    ///   - truth: the true move to the goal, if known.
    ///   - planned: the first move of a plan, if there is one.
    package init(landscape: EnergyLandscape, truth: Pose?, planned: Pose?) {
        self.landscape = landscape
        self.truth = truth
        self.planned = planned
    }

    private static let (side, left, top) = (400.0, 80.0, 40.0)

    /// The maximum number of labels on an axis.
    private static let labels = 9

    /// The SVG document.
    ///
    /// Dark cells have low energy. A cross marks the true move, a circle the planned one.
    package var svg: String {
        let (side, left, top) = (Self.side, Self.left, Self.top)
        let (moves, histogram) = (landscape.moves, landscape.histogram)
        let all = histogram.joined()
        let (low, high) = (all.min() ?? 0, all.max() ?? 1)
        let cell = side / Double(moves.count)
        var legend: [(mark: SVGCanvas.Mark, ink: SVGCanvas.Ink, text: String)] = []
        if truth != nil { legend.append((.cross, .text, "true move")) }
        if planned != nil { legend.append((.ring, .series(0), "first move of the plan")) }
        var canvas = SVGCanvas(
            title: "Energy of moves",
            width: left + side + 130,
            height: top + side + 72 + SVGCanvas.legendRow * Double(legend.count)
        )
        for (x, column) in histogram.enumerated() {
            for (z, energy) in column.enumerated() {
                canvas.cell(
                    at: .init(
                        x: left + Double(x) * cell,
                        y: top + side - Double(z + 1) * cell
                    ),
                    width: cell,
                    height: cell,
                    colour: Self.colour(high > low ? (energy - low) / (high - low) : 0.5)
                )
            }
        }
        // Labels that would overlap are left out; the first one stays.
        let apart = (moves.count + Self.labels - 1) / Self.labels
        for (index, move) in moves.enumerated() where index.isMultiple(of: apart) {
            let centre = (Double(index) + 0.5) * cell
            let text = "\((move * 10_000).rounded() / 100)"
            canvas.text(
                text,
                at: .init(x: left + centre, y: top + side + 18),
                anchor: .middle
            )
            canvas.text(text, at: .init(x: left - 8, y: top + side - centre + 4), anchor: .end)
        }
        canvas.axisName("move along x in cm", at: .init(x: left + side / 2, y: top + side + 40))
        canvas.axisName(
            "move along z in cm",
            at: .init(x: left - 52, y: top + side / 2),
            isVertical: true
        )
        drawScale(from: low, to: high, on: &canvas)
        if let truth { canvas.mark(.cross, at: place(truth), .text) }
        if let planned { canvas.mark(.ring, at: place(planned), .series(0)) }
        canvas.legend(legend, at: .init(x: left, y: top + side + 72))
        return canvas.document
    }

    /// Draws the colour scale, with the lowest energy at the bottom.
    private func drawScale(from low: Double, to high: Double, on canvas: inout SVGCanvas) {
        let (x, steps) = (Self.left + Self.side + 34, 40)
        let height = Self.side / Double(steps)
        for step in 0..<steps {
            canvas.cell(
                at: .init(x: x, y: Self.top + Self.side - Double(step + 1) * height),
                width: 14,
                height: height,
                colour: Self.colour(Double(step) / Double(steps - 1))
            )
        }
        canvas.text(Float(high).fixed4, at: .init(x: x + 20, y: Self.top + 10))
        canvas.text(Float(low).fixed4, at: .init(x: x + 20, y: Self.top + Self.side))
        canvas.axisName(
            "energy (summed over moves along y)",
            at: .init(x: x - 10, y: Self.top + Self.side / 2),
            isVertical: true
        )
    }

    /// The point of a move; moves outside the grid are clamped to its edge.
    private func place(_ move: Pose) -> SVGCanvas.Point {
        let size = landscape.moves.last ?? 1
        let count = Double(landscape.moves.count)
        func share(_ value: Double) -> Double {
            // The first and the last move are at the centres of their cells.
            let unit = (value + size) / (2 * size)
            return min(1, max(0, (unit * (count - 1) + 0.5) / count))
        }
        return SVGCanvas.Point(
            x: Self.left + share(move.position.x) * Self.side,
            y: Self.top + (1 - share(move.position.z)) * Self.side
        )
    }

    /// The colour for `share`, interpolated between samples of Matplotlib's colour map viridis.
    private static func colour(_ share: Double) -> String {
        let points: [(Double, Double, Double)] = [
            (68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37),
        ]
        let place = min(max(share, 0), 1) * Double(points.count - 1)
        let index = min(Int(place), points.count - 2)
        let part = place - Double(index)
        func mix(_ a: Double, _ b: Double) -> Int { Int((a + (b - a) * part).rounded()) }
        let (a, b) = (points[index], points[index + 1])
        return "rgb(\(mix(a.0, b.0)),\(mix(a.1, b.1)),\(mix(a.2, b.2)))"
    }
}
