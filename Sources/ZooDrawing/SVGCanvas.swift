// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An SVG document with a title, whose colours follow the light or dark scheme of the viewer.
///
/// Viewers without `prefers-color-scheme` show the light scheme. Lengths are in pixels.
struct SVGCanvas {
    /// A position relative to the upper left corner.
    struct Point {
        var x: Double
        var y: Double
    }

    /// Colours by purpose, each with a light and a dark variant.
    enum Ink {
        /// Names and numbers.
        case text
        /// Data that the model was given.
        case muted
        /// Lines behind the data.
        case grid
        /// Data; indices past the last colour wrap around.
        case series(Int)

        fileprivate var name: String {
            switch self {
            case .text: "text"
            case .muted: "muted"
            case .grid: "grid"
            case .series(let index): "series\(index % Ink.series.count)"
            }
        }

        /// Orange, blue, green, purple, red, cyan.
        fileprivate static let series = [
            (light: "#c2410c", dark: "#fb923c"), (light: "#2563eb", dark: "#60a5fa"),
            (light: "#15803d", dark: "#4ade80"), (light: "#9333ea", dark: "#c084fc"),
            (light: "#b91c1c", dark: "#f87171"), (light: "#0e7490", dark: "#22d3ee"),
        ]
    }

    /// Which part of a text is at its position.
    enum Anchor: String {
        case start, middle, end
    }

    /// What a mark on the drawing looks like.
    enum Mark {
        case dot, cross, ring
        /// A short sample of a curve.
        case sample(dashes: String)
    }

    private let title: String
    private let size: (width: Double, height: Double)
    private var elements: [String] = []

    init(title: String, width: Double, height: Double) {
        self.title = title
        size = (width, height)
        text(title, at: Point(x: width / 2, y: 22), anchor: .middle, isTitle: true)
    }

    mutating func line(from start: Point, to end: Point, _ ink: Ink) {
        elements.append(
            "<line x1=\"\(start.x.fixed1)\" y1=\"\(start.y.fixed1)\" x2=\"\(end.x.fixed1)\" "
                + "y2=\"\(end.y.fixed1)\" class=\"line \(ink.name)\"/>"
        )
    }

    /// Draws connected points, each with a dot.
    mutating func curve(_ points: [Point], _ ink: Ink, dashes: String = "") {
        if points.count > 1 {
            let places = points.map { "\($0.x.fixed1),\($0.y.fixed1)" }.joined(separator: " ")
            let dash = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
            elements.append("<polyline points=\"\(places)\" class=\"curve \(ink.name)\"\(dash)/>")
        }
        for point in points { mark(.dot, at: point, ink) }
    }

    mutating func mark(_ mark: Mark, at point: Point, _ ink: Ink) {
        let (x, y) = (point.x, point.y)
        switch mark {
        case .dot:
            elements.append(
                "<circle cx=\"\(x.fixed1)\" cy=\"\(y.fixed1)\" r=\"3.5\" class=\"dot \(ink.name)\"/>"
            )
        case .cross:
            let path = "M\((x - 6).fixed1) \((y - 6).fixed1)l12 12m0 -12l-12 12"
            // A wider stroke in the background colour keeps the mark visible on any cell.
            elements.append("<path d=\"\(path)\" class=\"halo paper\"/>")
            elements.append("<path d=\"\(path)\" class=\"mark \(ink.name)\"/>")
        case .sample(let dashes):
            curve([Point(x: x - 12, y: y), Point(x: x + 12, y: y)], ink, dashes: dashes)
        case .ring:
            for name in ["halo paper", "mark \(ink.name)"] {
                elements.append(
                    "<circle cx=\"\(x.fixed1)\" cy=\"\(y.fixed1)\" r=\"8\" class=\"\(name)\"/>"
                )
            }
        }
    }

    /// Draws a filled cell of a heat map.
    mutating func cell(at corner: Point, width: Double, height: Double, colour: String) {
        elements.append(
            "<rect x=\"\(corner.x.fixed1)\" y=\"\(corner.y.fixed1)\" width=\"\(width.fixed1)\" "
                + "height=\"\(height.fixed1)\" fill=\"\(colour)\" class=\"cell\"/>"
        )
    }

    mutating func text(
        _ text: String,
        at point: Point,
        anchor: Anchor = .start,
        isTitle: Bool = false
    ) {
        let kind = isTitle ? " class=\"text title\"" : " class=\"text\""
        elements.append(
            "<text x=\"\(point.x.fixed1)\" y=\"\(point.y.fixed1)\" text-anchor=\"\(anchor.rawValue)\""
                + "\(kind)>\(Self.escaped(text))</text>"
        )
    }

    /// Draws the name of an axis, centred on a point; rotated for a vertical axis.
    mutating func axisName(_ text: String, at point: Point, isVertical: Bool = false) {
        let (x, y) = (point.x.fixed1, point.y.fixed1)
        let turn = isVertical ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
        elements.append(
            "<text x=\"\(x)\" y=\"\(y)\" class=\"text axis\"\(turn)>\(Self.escaped(text))</text>"
        )
    }

    /// Draws a legend below the drawing: a mark and a text in each row.
    mutating func legend(_ rows: [(mark: Mark, ink: Ink, text: String)], at corner: Point) {
        for (index, row) in rows.enumerated() {
            let y = corner.y + Double(index) * Self.legendRow
            mark(row.mark, at: Point(x: corner.x + 12, y: y - 4.5), row.ink)
            text(row.text, at: Point(x: corner.x + 34, y: y))
        }
    }

    /// The height of a row of a legend.
    static let legendRow = 22.0

    /// The source of the SVG document.
    var document: String {
        let (width, height) = (size.width.fixed1, size.height.fixed1)
        let lines =
            [
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(height)\" "
                    + "width=\"\(width)\" height=\"\(height)\" role=\"img\">",
                "<title>\(Self.escaped(title))</title>", Self.style,
                "<rect width=\"100%\" height=\"100%\" class=\"paper\"/>",
            ] + elements + ["</svg>"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static let style: String = {
        func colours(_ pick: ((light: String, dark: String)) -> String) -> String {
            let fixed = [
                ("paper", ("#ffffff", "#111827")), ("text", ("#1f2937", "#e5e7eb")),
                ("muted", ("#6b7280", "#9ca3af")), ("grid", ("#d1d5db", "#374151")),
            ]
            let series = Ink.series.enumerated().map { ("series\($0)", $1) }
            return (fixed.map { ($0.0, (light: $0.1.0, dark: $0.1.1)) } + series)
                .map { ".\($0){color:\(pick($1))}" }.joined()
        }
        return """
            <style>
            text{font:13px sans-serif}.title{font-size:15px}.axis{text-anchor:middle}
            .paper,.text,.dot{fill:currentColor}
            .line,.curve,.mark,.halo{fill:none;stroke:currentColor}.curve{stroke-width:2}
            .mark{stroke-width:3}.halo{stroke-width:7}
            .cell{shape-rendering:crispEdges}
            \(colours(\.light))
            @media (prefers-color-scheme:dark){\(colours(\.dark))}
            </style>
            """
    }()

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
