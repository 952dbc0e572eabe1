// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The axes of a chart: names with units, grid lines, and the mapping from values to points.
struct ChartAxes {
    /// One axis.
    struct Axis {
        /// The quantity on the axis, with its unit.
        let name: String
        let low: Double
        let high: Double
        /// Whether values grow downwards, as rows of an image do.
        var isDownwards = false

        /// About five round numbers between the ends; one number if the ends are equal.
        fileprivate var ticks: [(value: Double, label: String)] {
            guard high > low, (high - low).isFinite else {
                return [(low, Self.label(low, low == low.rounded() ? 0 : 2))]
            }
            // 1, 2 or 5 times a power of ten.
            var (power, digits) = (1.0, 0)
            while power * 10 <= (high - low) / 4 { power *= 10 }
            while power > (high - low) / 4, digits < 12 {
                power /= 10
                digits += 1
            }
            let step =
                [5.0, 2.0, 1.0].first { $0 * power <= (high - low) / 3 }.map { $0 * power } ?? power
            let first = (low / step).rounded(.up)
            return (0..<20).map { (first + Double($0)) * step }
                .prefix { $0 <= high + step * 1e-9 }
                .map { ($0, Self.label($0, digits)) }
        }

        private static func label(_ value: Double, _ digits: Int) -> String {
            let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
            guard (value * scale).magnitude < 1e15 else { return "\(value)" }
            let whole = Int((value * scale).rounded())
            let text = "\(whole.magnitude)"
            let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
            let sign = whole < 0 ? "-" : ""
            return digits == 0
                ? sign + padded : sign + padded.dropLast(digits) + "." + padded.suffix(digits)
        }

        fileprivate func share(_ value: Double) -> Double {
            high > low ? (value - low) / (high - low) : 0.5
        }
    }

    let horizontal: Axis
    let vertical: Axis
    /// The upper left corner of the plot area.
    let corner: SVGCanvas.Point
    let width: Double
    let height: Double

    /// The point on the canvas for a pair of values.
    func place(_ x: Double, _ y: Double) -> SVGCanvas.Point {
        let share = vertical.share(y)
        return SVGCanvas.Point(
            x: corner.x + horizontal.share(x) * width,
            y: corner.y + (vertical.isDownwards ? share : 1 - share) * height
        )
    }

    /// Draws the grid lines, the tick labels and the names of the axes.
    func draw(on canvas: inout SVGCanvas) {
        let (right, bottom) = (corner.x + width, corner.y + height)
        for tick in vertical.ticks {
            let y = place(horizontal.low, tick.value).y
            canvas.line(from: .init(x: corner.x, y: y), to: .init(x: right, y: y), .grid)
            canvas.text(tick.label, at: .init(x: corner.x - 8, y: y + 4), anchor: .end)
        }
        for tick in horizontal.ticks {
            let x = place(tick.value, vertical.low).x
            canvas.line(from: .init(x: x, y: corner.y), to: .init(x: x, y: bottom), .grid)
            canvas.text(tick.label, at: .init(x: x, y: bottom + 18), anchor: .middle)
        }
        canvas.axisName(horizontal.name, at: .init(x: corner.x + width / 2, y: bottom + 40))
        canvas.axisName(
            vertical.name,
            at: .init(x: corner.x - 52, y: corner.y + height / 2),
            isVertical: true
        )
    }
}
