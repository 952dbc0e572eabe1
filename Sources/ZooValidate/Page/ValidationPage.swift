// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooEval

/// A validation as one HTML file for people: checks, claims, measurements with their intervals, exhibits.
///
/// The file loads nothing and runs nothing, and it is well-formed XML. Equal validations give equal bytes.
package struct ValidationPage {
    private let report: ValidationReport
    private let evaluations: [EvaluationReport]

    /// A page of a validation.
    package init(_ validation: Validation) {
        report = validation.report
        evaluations = validation.evaluations
    }

    /// The page.
    package var html: String {
        let sections = [summary, checks, findings, claims] + evaluations.map(suite)
        return PageFrame.html("\(title): validation", sections.flatMap(\.self))
    }

    private var title: String { "\(report.name):\(report.version)" }

    private var summary: [Markup] {
        let count = ClaimCounts(report.claims).text
        return [
            .element("h1", [:], title),
            .element(
                "p",
                ["class": "verdict \(report.passed ? "passed" : "failed")"],
                (report.passed ? "passed: " : "failed: ") + count
            ),
            .element("p", ["class": "soft"], report.digest.description),
            .element(
                "p",
                ["class": "soft"],
                "validated \(report.created) by ami-zoo \(report.program)\(machine)"
            ),
        ]
    }

    private var machine: String {
        guard let object = try? JSONObject(report.machine),
            let processor = try? object.string("processor"),
            let kernels = try? object.strings("kernels", maximum: 8)
        else { return "" }
        let precision = (try? object.optionalString("precision")).flatMap { $0 }
        return " on \(processor)"
            + (kernels.isEmpty ? "" : ", kernels \(kernels.joined(separator: ", "))")
            + (precision.map { ", \($0)" } ?? "")
    }

    private var checks: [Markup] {
        let rows = report.checks.map { check in
            Markup.element(
                "tr",
                [:],
                [
                    .element("th", ["scope": "row"], check.name.rawValue),
                    .element("td", ["class": check.result.rawValue], check.result.rawValue),
                    .element("td", [:], check.summary),
                ]
            )
        }
        return [.element("h2", [:], "Checks"), .element("table", [:], rows)]
    }

    private var findings: [Markup] {
        FindingsSection.markup(
            report.checks.flatMap { check in check.findings.map { (check.name.rawValue, $0) } }
        )
    }

    /// Every claim in a table; the drawings follow with the measurements.
    private var claims: [Markup] {
        ClaimsTable.markup(report.claims, none: "The release claims nothing.")
    }

    // MARK: Suites

    private func suite(_ evaluation: EvaluationReport) -> [Markup] {
        let definition = evaluation.definition
        // Measurements of one unit and bound share a scale; bounds differ by magnitudes.
        var groups: [(caption: String, limit: Double?, rows: [BarRow])] = []
        for measurement in evaluation.measurements {
            let (metric, limit) = (measurement.metric, measurement.limit?.value)
            let caption = "\(metric.unit), \(metric.direction.rawValue) is better"
            let row = row(measurement, of: evaluation)
            if let group = groups.firstIndex(where: { $0.caption == caption && $0.limit == limit })
            {
                groups[group].rows.append(row)
            } else {
                groups.append((caption, limit, [row]))
            }
        }
        let figures = groups.map { BarRow.figure($0.caption, [("", $0.rows)]) }
        return [
            .element("h2", [:], definition.name),
            .element(
                "p",
                ["class": "soft"],
                "suite \(definition.suite) on \(definition.data). Bars are measured values, whiskers their "
                    + "95 % intervals; a vertical line is a claim, the band behind it its tolerance; a dashed "
                    + "line is a bound."
            ),
            .element("div", ["class": "figures"], evaluation.exhibits.map(Self.figure) + figures),
        ]
    }

    private func row(_ measurement: Measurement, of evaluation: EvaluationReport) -> BarRow {
        let definition = evaluation.definition
        let claim = report.claims.first { claim in
            claim.measured == measurement.value && claim.claim.suite == definition.name
                && claim.claim.suiteDigest == definition.digest
                && claim.claim.metric == measurement.metric.name
        }
        var numbers =
            "measured \(measurement.value.short)"
            + (measurement.interval.map { " (\($0.low.short) to \($0.high.short))" } ?? "")
            + ", \(measurement.samples) samples"
        if let claim {
            numbers += "; claimed \(claim.claim.value.short)"
            numbers += claim.claim.tolerance.map { " ± \($0.short)" } ?? ""
        }
        if let limit = measurement.limit {
            let bound = measurement.metric.direction == .lower ? "at most" : "at least"
            numbers += "; \(bound) \(limit.value.short)"
        }
        var row = BarRow(
            name: measurement.metric.name,
            value: measurement.value,
            interval: measurement.interval,
            claim: claim.map { .init(value: $0.claim.value, tolerance: $0.claim.tolerance ?? 0) },
            limit: measurement.limit?.value,
            numbers: numbers
        )
        if let claim {
            row.verdict = (claim.outcome.rawValue, claim.outcome.words)
        } else if measurement.limit != nil {
            row.verdict =
                measurement.isWithinLimit ? ("passed", "within") : ("failed", "beyond its bound")
        }
        return row
    }

    private static func figure(_ exhibit: Exhibit) -> Markup {
        switch exhibit.content {
        case .curves(let curves): CurveFigure(exhibit.title, curves).markup
        case .paths(let paths): PathFigure.markup(exhibit.title, paths)
        case .routes(let routes): RouteFigure.markup(exhibit.title, routes)
        case .bars(let bars):
            BarRow.figure(
                "\(exhibit.title) (\(bars.quantity))",
                bars.groups.map { group in
                    let rows = group.bars.enumerated().map { index, bar in
                        BarRow(
                            name: bar.name,
                            value: bar.value,
                            interval: bar.interval,
                            numbers: bar.value.short
                                + (bar.interval.map { " (\($0.low.short) to \($0.high.short))" }
                                    ?? ""),
                            colour: index % 6
                        )
                    }
                    return (group.name, rows)
                }
            )
        }
    }
}
