// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// Lines over a common axis, with their intervals, a legend and a table of the numbers.
struct CurveFigure {
    private let title: String
    private let curves: Exhibit.Curves
    private let scales: (x: Scale, y: Scale)?

    init(_ title: String, _ curves: Exhibit.Curves) {
        self.title = title
        self.curves = curves
        let points = curves.lines.flatMap(\.points)
        let values = points.flatMap { point in
            [point.y] + [point.interval?.low, point.interval?.high].compactMap(\.self)
        }
        let places = points.map(\.x)
        if let first = places.min(), let last = places.max(), let y = Scale(values),
            (last - first).isFinite
        {
            scales = (Scale(from: first, to: last > first ? last : first + 1), y)
        } else {
            scales = nil
        }
    }

    /// The plot area, in a drawing of 360 × 232.
    private static let (left, right, top, bottom) = (44.0, 340.0, 22.0, 196.0)

    /// Points that lie closer are not marked one by one.
    private static let marked = 24

    var markup: Markup {
        .element(
            "figure",
            [:],
            [.element("figcaption", [:], title)]
                + (scales.map { [drawing($0.x, $0.y), Legend.markup(names)] } ?? [])
                + [numbers]
        )
    }

    private var names: [String] { curves.lines.map(\.name) }

    private func drawing(_ x: Scale, _ y: Scale) -> Markup {
        func place(_ point: Exhibit.Point, _ value: Double) -> String {
            "\(x.place(point.x, Self.left, Self.right).place) "
                + y.place(value, Self.bottom, Self.top).place
        }
        var shapes: [Markup] = [
            .element("title", [:], title),
            .element(
                "desc",
                [:],
                "\(curves.vertical) over \(curves.horizontal), of \(names.joined(separator: ", ")). "
                    + "The numbers are in the table below."
            ),
        ]
        for tick in y.ticks {
            let height = y.place(tick, Self.bottom, Self.top)
            shapes += [
                .element(
                    "path",
                    [
                        "class": "grid",
                        "d": "M\(Self.left.place) \(height.place)H\(Self.right.place)",
                    ]
                ),
                .element(
                    "text",
                    [
                        "x": "\((Self.left - 5).place)", "y": (height + 4).place,
                        "text-anchor": "end",
                    ],
                    tick.short
                ),
            ]
        }
        for tick in x.ticks {
            let place = x.place(tick, Self.left, Self.right)
            shapes += [
                .element("path", ["class": "tick", "d": "M\(place.place) \(Self.bottom.place)v4"]),
                .element(
                    "text",
                    ["x": place.place, "y": (Self.bottom + 16).place, "text-anchor": "middle"],
                    tick.short
                ),
            ]
        }
        shapes += [
            .element("text", ["x": "2", "y": "11"], curves.vertical),
            .element(
                "text",
                [
                    "x": ((Self.left + Self.right) / 2).place, "y": (Self.bottom + 31).place,
                    "text-anchor": "middle",
                ],
                curves.horizontal
            ),
        ]
        for (index, line) in curves.lines.enumerated() {
            let bounds = line.points.compactMap { point in
                point.interval.map { (point, $0) }
            }
            guard bounds.count > 1 else { continue }
            let corners =
                bounds.map { place($0, $1.high) } + bounds.reversed().map { place($0, $1.low) }
            shapes.append(
                .element(
                    "polygon",
                    ["class": "band c\(index % 6)", "points": corners.joined(separator: " ")]
                )
            )
        }
        // The first line is on top.
        for (index, line) in curves.lines.enumerated().reversed() {
            let corners = line.points.map { place($0, $0.y) }
            shapes.append(
                .element(
                    "polyline",
                    ["class": "line c\(index % 6)", "points": corners.joined(separator: " ")]
                )
            )
            guard line.points.count <= Self.marked else { continue }
            shapes += corners.map { corner in
                .element("path", ["class": "dot c\(index % 6)", "d": "M\(corner)h0"])
            }
        }
        return .element("svg", ["viewBox": "0 0 360 232", "role": "img"], shapes)
    }

    /// The numbers of all lines, for those who do not see the drawing.
    private var numbers: Markup {
        let places = Set(curves.lines.flatMap { $0.points.map(\.x) }).sorted()
        let rows = places.map { place in
            Markup.element(
                "tr",
                [:],
                [.element("th", ["scope": "row"], place.short)]
                    + curves.lines.map { line in
                        let point = line.points.first { $0.x == place }
                        return .element("td", [:], point.map(Self.text) ?? "–")
                    }
            )
        }
        let head = [curves.horizontal] + names
        return .element(
            "details",
            [:],
            [
                .element("summary", [:], "Numbers"),
                .element(
                    "div",
                    ["class": "wide", "tabindex": "0", "role": "region", "aria-label": title],
                    [
                        .element(
                            "table",
                            [:],
                            [
                                .element(
                                    "tr",
                                    [:],
                                    head.map { .element("th", ["scope": "col"], $0) }
                                )
                            ] + rows
                        )
                    ]
                ),
            ]
        )
    }

    private static func text(_ point: Exhibit.Point) -> String {
        point.y.short
            + (point.interval.map { " (\($0.low.short) to \($0.high.short))" } ?? "")
    }
}

/// What the lines of a drawing are.
enum Legend {
    /// Names lines in the order of their colours.
    static func markup(_ names: [String]) -> Markup {
        let rows = names.enumerated().map { index, name in
            row(
                .element("path", ["class": "line c\(index % 6)", "d": "M1 5H27"]),
                name
            )
        }
        return .element("ul", ["class": "legend"], rows)
    }

    /// A sample and what it is.
    static func row(_ sample: Markup, _ name: String) -> Markup {
        .element(
            "li",
            [:],
            [
                .element("svg", ["viewBox": "0 0 28 10", "aria-hidden": "true"], [sample]),
                .element("span", [:], name),
            ]
        )
    }
}
