// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooModels

/// Draws an energy landscape as a heat map: moves along x to the right, along z upwards.
struct EnergyDrawing {
    let landscape: EnergyLandscape
    /// The move that led to the goal, where it is known.
    let truth: Pose?
    /// The first move of a plan.
    let planned: Pose?

    private static let (side, margin, legend) = (400.0, 56.0, 44.0)

    /// Labels that an axis has room for.
    private static let labels = 9

    /// The drawing; dark is a low energy, a cross the true move, a circle the planned one.
    var svg: String {
        let (side, margin) = (Self.side, Self.margin)
        let (moves, histogram) = (landscape.moves, landscape.histogram)
        let all = histogram.joined()
        let (low, high) = (all.min() ?? 0, all.max() ?? 1)
        let cell = side / Double(moves.count)
        let (width, height) = (side + 2 * margin, side + margin + Self.legend + 30)
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width.fixed1) \(height.fixed1)" \
            width="\(width.fixed1)" height="\(height.fixed1)" font-family="sans-serif" font-size="13">
            <rect width="100%" height="100%" fill="#ffffff"/>
            """
        ]
        for (x, column) in histogram.enumerated() {
            for (z, energy) in column.enumerated() {
                let share = high > low ? (energy - low) / (high - low) : 0.5
                parts.append(
                    """
                    <rect x="\((margin + Double(x) * cell).fixed1)" \
                    y="\((24 + side - Double(z + 1) * cell).fixed1)" width="\(cell.fixed1)" \
                    height="\(cell.fixed1)" fill="\(Self.colour(share))"/>
                    """
                )
            }
        }
        // Labels that stand in each other's way are left out; the first one stays.
        let apart = (moves.count + Self.labels - 1) / Self.labels
        for (index, move) in moves.enumerated() where index.isMultiple(of: apart) {
            let centre = (Double(index) + 0.5) * cell
            let text = "\((move * 10_000).rounded() / 100)"
            parts.append(
                """
                <text x="\((margin + centre).fixed1)" y="\((24 + side + 18).fixed1)" \
                text-anchor="middle">\(text)</text>
                <text x="\((margin - 8).fixed1)" y="\((24 + side - centre + 4).fixed1)" \
                text-anchor="end">\(text)</text>
                """
            )
        }
        if let truth {
            let (x, y) = place(truth)
            parts.append(
                """
                <path d="M\((x - 7).fixed1) \((y - 7).fixed1)l14 14m0 -14l-14 14" stroke="#16a34a" \
                stroke-width="3"/>
                """
            )
        }
        if let planned {
            let (x, y) = place(planned)
            parts.append(
                """
                <circle cx="\(x.fixed1)" cy="\(y.fixed1)" r="8" fill="none" stroke="#ea580c" \
                stroke-width="3"/>
                """
            )
        }
        let marks = [truth.map { _ in "× what happened" }, planned.map { _ in "○ plan" }]
            .compactMap(\.self).joined(separator: "  ")
        parts.append(
            """
            <text x="\(margin)" y="\((24 + side + Self.legend).fixed1)">move along x, and upwards along \
            z, in cm; dark is near the goal</text>
            <text x="\(margin)" y="\((24 + side + Self.legend + 18).fixed1)">\(marks)</text>
            """
        )
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    /// Where a move lies; beyond the grid, at its edge.
    private func place(_ move: Pose) -> (Double, Double) {
        let size = landscape.moves.last ?? 1
        let count = Double(landscape.moves.count)
        func share(_ value: Double) -> Double {
            // The first and the last move lie in the middle of their cells.
            let unit = (value + size) / (2 * size)
            return min(1, max(0, (unit * (count - 1) + 0.5) / count))
        }
        return (
            Self.margin + share(move.position.x) * Self.side,
            24 + (1 - share(move.position.z)) * Self.side
        )
    }

    /// From dark blue over green to yellow: points of the colour map viridis of Matplotlib.
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
