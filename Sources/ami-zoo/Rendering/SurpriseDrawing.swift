// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooInference
internal import ZooModels

/// Draws surprise over time: a curve for each context.
struct SurpriseDrawing {
    private let surprise: Surprise
    /// Frame to place on the horizontal axis.
    private let time: (Int) -> Double
    private let unit: String

    init(_ outcome: SurpriseOutcome) {
        surprise = outcome.surprise
        let clip = outcome.clip
        if let rate = clip.frameRate {
            time = { Double(clip.sourceFrame($0)) / rate }
            unit = "seconds"
        } else {
            time = { Double(clip.sourceFrame($0)) }
            unit = "frame"
        }
    }

    private static let plot = (left: 64.0, top: 24.0, width: 720.0, height: 300.0)
    private static let colours = ["#ea580c", "#2563eb", "#15803d", "#9333ea", "#b91c1c", "#0e7490"]
    private static let dashes = ["", "6 4", "2 3", "8 3 2 3"]

    /// The drawing; a point stands over the first frame that was predicted.
    var svg: String {
        let (contexts, plot) = (surprise.method.contexts, Self.plot)
        var curves: [(name: String, points: [(Double, Double)], colour: String, dash: String)] = []
        for (video, windows) in surprise.videos.enumerated() {
            for (index, context) in contexts.enumerated() {
                let points = windows.map { (time($0.start + context), Double($0.values[index])) }
                let name = "\(context) frames seen"
                curves.append(
                    (
                        surprise.videos.count > 1 ? "video \(video), \(name)" : name, points,
                        Self.colours[index % Self.colours.count],
                        Self.dashes[video % Self.dashes.count]
                    )
                )
            }
        }
        let all = curves.flatMap(\.points)
        let (first, last) = (all.map(\.0).min() ?? 0, all.map(\.0).max() ?? 1)
        let top = max(all.map(\.1).max() ?? 1, 1e-9) * 1.1
        func place(_ point: (Double, Double)) -> String {
            let share = last > first ? (point.0 - first) / (last - first) : 0.5
            let (x, y) = (
                plot.left + share * plot.width, plot.top + (1 - point.1 / top) * plot.height
            )
            return "\(x.fixed1),\(y.fixed1)"
        }
        let height = plot.top + plot.height + 56 + 18 * Double(curves.count)
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 \(height.fixed1)" width="800" \
            height="\(height.fixed1)" font-family="sans-serif" font-size="13">
            <rect width="100%" height="100%" fill="#ffffff"/>
            """
        ]
        for step in 0...4 {
            let value = top * Double(step) / 4
            let y = plot.top + (1 - value / top) * plot.height
            parts.append(
                """
                <line x1="\(plot.left)" x2="\(plot.left + plot.width)" y1="\(y.fixed1)" \
                y2="\(y.fixed1)" stroke="#e5e7eb"/>
                <text x="\(plot.left - 8)" y="\((y + 4).fixed1)" text-anchor="end">\
                \(Float(value).fixed4)</text>
                """
            )
        }
        let floor = plot.top + plot.height
        parts.append(
            """
            <text x="\(plot.left)" y="\(floor + 20)">\(first.fixed1)</text>
            <text x="\(plot.left + plot.width)" y="\(floor + 20)" text-anchor="end">\(last.fixed1)</text>
            <text x="\(plot.left + plot.width / 2)" y="\(floor + 20)" text-anchor="middle">\(unit)</text>
            """
        )
        for (index, curve) in curves.enumerated() {
            let line = curve.points.map(place).joined(separator: " ")
            let dots = curve.points.map { point in
                let parts = place(point).split(separator: ",")
                return
                    "<circle cx=\"\(parts[0])\" cy=\"\(parts[1])\" r=\"3\" fill=\"\(curve.colour)\"/>"
            }
            let y = (floor + 46 + 18 * Double(index)).fixed1
            parts.append(
                """
                <polyline points="\(line)" fill="none" stroke="\(curve.colour)" stroke-width="2" \
                stroke-dasharray="\(curve.dash)"/>\(dots.joined())
                <text x="\(plot.left)" y="\(y)" fill="\(curve.colour)">● \(curve.name)</text>
                """
            )
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }
}
