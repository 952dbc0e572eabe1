// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// What every page has around its content.
enum PageFrame {
    /// A page that loads nothing and runs nothing, as HTML and well-formed XML.
    static func html(_ title: String, _ content: [Markup]) -> String {
        let head: [Markup] = [
            .element("meta", ["charset": "utf-8"]),
            .element(
                "meta",
                ["name": "viewport", "content": "width=device-width, initial-scale=1"]
            ),
            // Even a fault of this page could not load or run anything.
            .element(
                "meta",
                [
                    "http-equiv": "Content-Security-Policy",
                    "content": "default-src 'none'; style-src 'unsafe-inline'",
                ]
            ),
            .element("title", [:], title),
            .element("style", [:], ValidationPage.style),
        ]
        let page = Markup.element(
            "html",
            ["lang": "en"],
            [
                .element("head", [:], head),
                .element("body", [:], [.element("main", [:], content)]),
            ]
        )
        return "<!DOCTYPE html>\(page.source)\n"
    }
}

/// Findings as a list.
enum FindingsSection {
    /// The section; empty without findings.
    ///
    /// - Parameter findings: each with the name of the check that found it, if there is one.
    /// - Returns: the section.
    static func markup(_ findings: [(check: String?, finding: Finding)]) -> [Markup] {
        guard !findings.isEmpty else { return [] }
        let rows = findings.map { check, finding in
            let place = [check, finding.path, finding.code.rawValue].compactMap(\.self)
            return Markup.element(
                "li",
                [:],
                [
                    .element(
                        "p",
                        [:],
                        [
                            .element(
                                "b",
                                ["class": finding.severity.rawValue],
                                finding.severity.rawValue
                            ),
                            .text(" \(finding.message)"),
                        ]
                    ),
                    .element(
                        "p",
                        ["class": "soft"],
                        place.joined(separator: ", ") + (finding.remedy.map { ": \($0)" } ?? "")
                    ),
                ]
            )
        }
        return [
            .element("h2", [:], "Findings"), .element("ul", ["class": "findings"], rows),
        ]
    }
}

/// Claims as a table.
enum ClaimsTable {
    /// The section.
    ///
    /// - Parameters:
    ///   - claims: the claims, each with what was measured.
    ///   - text: what stands there without claims.
    /// - Returns: the section.
    static func markup(_ claims: [ClaimComparison], none text: String) -> [Markup] {
        let head = Markup.element("h2", [:], "Claims")
        guard !claims.isEmpty else { return [head, .element("p", [:], text)] }
        let titles = ["claim", "claimed", "measured", "outcome"].map {
            Markup.element("th", ["scope": "col"], $0)
        }
        let rows = claims.map { claim in
            Markup.element(
                "tr",
                [:],
                [
                    .element(
                        "td",
                        [:],
                        [
                            .text(claim.claim.metric),
                            .element(
                                "span",
                                ["class": "soft"],
                                " \(claim.claim.suite), \(claim.claim.dataset)"
                            ),
                        ]
                    ),
                    .element(
                        "td",
                        [:],
                        claim.claim.value.short
                            + (claim.claim.tolerance.map { " ± \($0.short)" } ?? "")
                            + " \(claim.claim.unit)"
                    ),
                    .element("td", [:], claim.measured.map(\.short) ?? "–"),
                    .element("td", ["class": claim.outcome.rawValue], claim.outcome.words),
                ]
            )
        }
        return [head, .element("table", ["class": "claims"], [.element("tr", [:], titles)] + rows)]
    }
}
