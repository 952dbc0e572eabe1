// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooEval

/// A value as a horizontal bar, with its interval, beside what was claimed.
struct BarRow {
    /// What the value is compared with.
    struct Claim {
        let value: Double
        let tolerance: Double
    }

    let name: String
    let value: Double
    var interval: ConfidenceInterval?
    var claim: Claim?
    var limit: Double?
    /// The numbers, in words.
    let numbers: String
    /// What became of the claim or bound: a class of the style sheet, and words.
    var verdict: (style: String, text: String)?
    /// The number of the colour.
    var colour = 0

    /// All that the scale must hold: nothing below 0 for a value and a claim that are not.
    var extent: [Double] {
        let all =
            [value] + [interval?.low, interval?.high, limit].compactMap(\.self)
            + (claim.map { [$0.value - $0.tolerance, $0.value + $0.tolerance] } ?? [])
        return min(value, claim?.value ?? 0) < 0 ? all : all.map { max($0, 0) }
    }

    private static let (start, end) = (6.0, 354.0)

    /// The row of a list, drawn on a scale; without a drawing when there is none.
    func markup(on scale: Scale?) -> Markup {
        var label: [Markup] = [.text(name)]
        if let verdict {
            label += [.text(" "), .element("b", ["class": verdict.style], verdict.text)]
        }
        return .element(
            "li",
            [:],
            [.element("p", ["class": "label"], label)]
                + [.element("p", ["class": "numbers"], numbers)]
                + (scale.map { [drawing(on: $0)] } ?? [])
        )
    }

    private func drawing(on scale: Scale) -> Markup {
        func x(_ value: Double) -> Double { scale.place(value, Self.start, Self.end) }
        var shapes: [Markup] = [
            .element("title", [:], name), .element("desc", [:], numbers),
            Self.box(Self.start, Self.end, top: 4, height: 12, "track"),
        ]
        if let claim {
            let (left, right) = (x(claim.value - claim.tolerance), x(claim.value + claim.tolerance))
            let middle = (left + right) / 2
            // A tolerance that is too small to be seen is drawn as wide as can be seen.
            shapes.append(
                Self.box(
                    min(left, middle - 1),
                    max(right, middle + 1),
                    top: 0,
                    height: 20,
                    "tolerance"
                )
            )
        }
        shapes.append(
            Self.box(
                min(x(0), x(value)),
                max(x(0), x(value)),
                top: 6,
                height: 8,
                "bar c\(colour)"
            )
        )
        if let interval {
            let (low, high) = (x(interval.low), x(interval.high))
            shapes.append(
                .element(
                    "path",
                    [
                        "class": "whisker",
                        "d": "M\(low.place) 6v8m0 -4H\(high.place)m0 -4v8",
                    ]
                )
            )
        }
        if let claim { shapes.append(Self.mark(x(claim.value), "claim")) }
        if let limit { shapes.append(Self.mark(x(limit), "limit")) }
        return .element("svg", ["viewBox": "0 0 360 20", "role": "img"], shapes)
    }

    private static func box(
        _ left: Double,
        _ right: Double,
        top: Int,
        height: Int,
        _ style: String
    ) -> Markup {
        .element(
            "rect",
            [
                "class": style, "x": left.place, "y": "\(top)", "width": (right - left).place,
                "height": "\(height)",
            ]
        )
    }

    private static func mark(_ x: Double, _ style: String) -> Markup {
        .element("path", ["class": style, "d": "M\(x.place) 0v20"])
    }

    /// The axis below rows.
    static func axis(_ scale: Scale) -> Markup {
        let marks = scale.ticks.flatMap { tick -> [Markup] in
            let x = scale.place(tick, start, end)
            // Words at the ends stay inside.
            let anchor = x < 20 ? "start" : x > 340 ? "end" : "middle"
            return [
                .element("path", ["class": "tick", "d": "M\(x.place) 0v4"]),
                .element("text", ["x": x.place, "y": "15", "text-anchor": anchor], tick.short),
            ]
        }
        return .element(
            "svg",
            ["viewBox": "0 0 360 18", "class": "axis", "aria-hidden": "true"],
            marks
        )
    }

    /// A figure of rows on a common scale; the caption says what the values are, with their unit, and a group
    /// without a name has no heading.
    static func figure(_ caption: String, _ groups: [(name: String, rows: [BarRow])]) -> Markup {
        let scale = Scale(groups.flatMap { $0.rows.flatMap(\.extent) })
        let lists = groups.flatMap { group -> [Markup] in
            (group.name.isEmpty ? [] : [.element("p", ["class": "group"], group.name)])
                + [.element("ul", ["class": "bars"], group.rows.map { $0.markup(on: scale) })]
        }
        return .element(
            "figure",
            [:],
            [.element("figcaption", [:], caption)] + lists + (scale.map { [axis($0)] } ?? [])
        )
    }
}
