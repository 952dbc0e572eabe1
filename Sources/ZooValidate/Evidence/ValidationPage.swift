// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A report as one HTML file that needs nothing else: checks, claims with bars, findings.
package struct ValidationPage {
    private let report: ValidationReport

    /// A page of a report.
    package init(_ report: ValidationReport) { self.report = report }

    /// The page.
    package var html: String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title><style>\(Self.style)</style></head><body>
        <h1>\(title)</h1>
        <p class="\(report.passed ? "passed" : "failed")">\(verdict)</p>
        <p>\(Self.escaped(report.digest.description))<br>\(Self.escaped("\(report.created)")), ami-zoo
        \(Self.escaped(report.program)), \(Self.escaped(machine))</p>
        <h2>Checks</h2><table>\(checks)</table>
        <h2>Claims</h2>\(claims)
        \(findings)
        </body></html>

        """
    }

    private var title: String { Self.escaped("\(report.name):\(report.version)") }

    private var verdict: String {
        let count = "reproduced \(report.reproduced) of \(report.claims.count) claims"
        return report.passed ? "passed: \(count)" : "failed: \(count)"
    }

    private var machine: String {
        guard let object = try? JSONObject(report.machine),
            let processor = try? object.string("processor"),
            let kernels = try? object.strings("kernels", maximum: 8)
        else { return "" }
        return "\(processor), kernels \(kernels.joined(separator: ", "))"
    }

    private var checks: String {
        report.checks.map { check in
            "<tr><td>\(check.name.rawValue)</td><td class=\"\(check.result.rawValue)\">"
                + "\(check.result.rawValue)</td><td>\(Self.escaped(check.summary))</td></tr>"
        }.joined(separator: "\n")
    }

    private var claims: String {
        guard !report.claims.isEmpty else { return "<p>The release claims nothing.</p>" }
        return report.claims.map { claim in
            let text =
                "\(claim.claim.metric): claimed \(claim.claim.value) \(claim.claim.unit), "
                + (claim.measured.map { "measured \(Self.rounded($0))" } ?? "not measured")
            return "<figure><figcaption>\(Self.escaped(text)) "
                + "<b class=\"\(claim.isAcceptable ? "passed" : "failed")\">"
                + "\(claim.outcome.rawValue)</b></figcaption>\(bar(claim))</figure>"
        }.joined(separator: "\n")
    }

    /// The claim with its tolerance as a band, and the measurement as a line.
    private func bar(_ claim: ClaimComparison) -> String {
        let tolerance = claim.claim.tolerance ?? 0
        let ends = [
            0, claim.claim.value - tolerance, claim.claim.value + tolerance,
            claim.measured ?? claim.claim.value,
        ]
        let (low, high) = (ends.min() ?? 0, ends.max() ?? 1)
        guard high > low else { return "" }
        func x(_ value: Double) -> Double { 300 * (value - low) / (high - low) }
        let band = (x(claim.claim.value - tolerance), x(claim.claim.value + tolerance))
        let line = claim.measured.map {
            "<line x1=\"\(Self.rounded(x($0)))\" x2=\"\(Self.rounded(x($0)))\" y1=\"0\" y2=\"16\"/>"
        }
        return "<svg viewBox=\"-4 -2 308 20\" role=\"img\" aria-label=\"claimed and measured\">"
            + "<rect class=\"base\" x=\"0\" y=\"6\" width=\"300\" height=\"4\"/>"
            + "<rect class=\"band\" x=\"\(Self.rounded(band.0))\" y=\"2\" "
            + "width=\"\(Self.rounded(max(1, band.1 - band.0)))\" height=\"12\"/>"
            + (line ?? "") + "</svg>"
    }

    private var findings: String {
        let all = report.checks.flatMap(\.findings)
        guard !all.isEmpty else { return "" }
        return "<h2>Findings</h2><ul>"
            + all.map { finding in
                "<li><b>\(finding.severity.rawValue)</b> \(Self.escaped(finding.message))"
                    + (finding.remedy.map { "<br>\(Self.escaped($0))" } ?? "") + "</li>"
            }.joined(separator: "\n") + "</ul>"
    }

    private static func rounded(_ value: Double) -> String {
        "\((value * 10_000).rounded() / 10_000)"
    }

    private static func escaped(_ text: String) -> String {
        text.flatMap { character -> String in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(character)
            }
        }.map(String.init).joined()
    }

    private static let style = """
        :root{color-scheme:light dark;--good:#1a7f37;--bad:#c62828;--band:#8ab4f8}
        body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
        table{border-collapse:collapse}td{padding:.2rem .8rem .2rem 0;vertical-align:top}
        figure{margin:0 0 1rem}svg{width:100%;max-width:30rem;display:block}
        .passed{color:var(--good)}.failed{color:var(--bad)}.base{fill:#8886}.band{fill:var(--band)}
        line{stroke:currentColor;stroke-width:2}p,li{overflow-wrap:anywhere}
        """
}
