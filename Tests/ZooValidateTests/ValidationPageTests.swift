// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

@testable import ZooValidate

/// The page of a validation, read by an XML parser.
@Suite struct ValidationPageTests {
    @Test func thePageSaysWhatWasMeasuredAndHow() throws {
        let page = try PageDocument(try SampleValidation().page())
        for text in [
            "failed: reproduced 1 of 2 claims",
            "measured 0.91 (0.86 to 0.96), 100 samples; claimed 0.9 ± 0.02",
            "measured 0.5, 4 samples; at most 0.001", "beyond its bound", "reproduced",
            "measured 0.5, 4 samples; at least 0.25", "within",
            "claimed upstream, not measured again", "it differs", "error in px",
        ] {
            #expect(page.texts.contains { $0.contains(text) }, "\(text)")
        }
        // The bar of the claim: from 0 to 0.91 of an axis to 1, 348 wide from 6.
        func shapes(_ name: String, _ style: String) -> [PageDocument.Element] {
            page.named(name).filter { $0.attributes["class"] == style }
        }
        // After that of the exhibit.
        let bar = shapes("rect", "bar c0")[1]
        #expect(bar.attributes["x"] == "6.00" && bar.attributes["width"] == "316.68")
        let band = try #require(shapes("rect", "tolerance").first)
        #expect(band.attributes["x"] == "312.24" && band.attributes["width"] == "13.92")
        let whisker = shapes("path", "whisker")[1]
        #expect(whisker.attributes["d"] == "M305.28 6v8m0 -4H340.08m0 -4v8")
    }

    /// Every drawing has a name and a description, or is hidden beside the text that says the same.
    @Test func everyDrawingHasATextAlternative() throws {
        let page = try PageDocument(try SampleValidation().page())
        for (index, element) in page.elements.enumerated() where element.name == "svg" {
            guard element.attributes["aria-hidden"] == nil else { continue }
            #expect(element.attributes["role"] == "img")
            #expect(page.elements[index + 1].name == "title")
            #expect(page.elements[index + 2].name == "desc")
        }
        #expect(page.named("html").first?.attributes["lang"] == "en")
        #expect(page.named("main").count == 1 && page.named("h1").count == 1)
        // The numbers of curves are in a table.
        #expect(page.named("details").count == 1 && page.texts.contains("0.5 (0.4 to 0.6)"))
    }

    @Test func thePageLoadsAndRunsNothing() throws {
        let html = try SampleValidation().page()
        let page = try PageDocument(html)
        let allowed: Set<String> = [
            "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "b", "span",
            "ul", "li", "table", "tr", "th", "td", "div", "figure", "figcaption", "details",
            "summary", "svg", "desc", "text", "rect", "path", "polyline", "polygon", "circle",
        ]
        #expect(Set(page.elements.map(\.name)).isSubset(of: allowed))
        for attributes in page.elements.map(\.attributes) {
            #expect(!attributes.keys.contains { $0.hasPrefix("on") || $0 == "style" })
            #expect(attributes["href"] == nil && attributes["src"] == nil)
        }
        #expect(!html.contains("url(") && !html.contains("@import") && !html.contains("://"))
        #expect(html.contains("prefers-color-scheme:dark"))
    }

    @Test func equalValidationsGiveEqualPages() throws {
        #expect(try SampleValidation().page() == SampleValidation().page())
    }

    /// Whatever a release is named and whatever it says, its page has the elements of any other.
    @Test func textsCannotBecomeMarkup() throws {
        let plain = try PageDocument(try SampleValidation().page()).structure
        let pieces = [
            "<script>alert(1)</script>", "</style>", "</svg>", "</title>", "]]>", "<!--", "-->",
            "<![CDATA[", "\"", "' onload='x", "\" onmouseover=\"x", "&", "&amp;", "&#60;", "<?x",
            "javascript:x", "<img src=x>", "\u{202E}", "\u{2066}", "\u{FFFE}", "\u{7F}", "\u{85}",
            "\u{0}", "\u{1F}", "\u{10FFFF}", "\r\n", "é", "日本", "👩‍🔬", "e\u{301}", " ",
        ]
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<200 {
            let hostile = (0..<3).map { _ in pieces.randomElement(using: &generator) ?? "" }
                .joined()
            var sample = SampleValidation()
            sample.text = { "\($0)\(hostile)" }
            let page = try PageDocument(try sample.page())
            #expect(page.structure == plain, "\(hostile.debugDescription)")
            let seen = Markup.escaped(hostile)
            let element = try PageDocument("<p>\(seen)</p>")
            #expect(element.elements.count == 1)
            // What is shown is what was said, but for what cannot be shown.
            let text = element.texts.joined()
            #expect(text.unicodeScalars.count == hostile.unicodeScalars.count)
            #expect(
                zip(text.unicodeScalars, hostile.unicodeScalars)
                    .allSatisfy { $0 == $1 || $0 == "\u{FFFD}" }
            )
            let attribute = try PageDocument("<p a=\"\(seen)\"></p>")
            #expect(attribute.elements.map { Array($0.attributes.keys) } == [["a"]])
        }
    }

    /// Numbers at the ends of what a double holds give pages without NaN and infinite coordinates.
    @Test(
        arguments: [
            [1e308, -1e308], [.leastNonzeroMagnitude, 0], [0, 0], [-3, -2], [1e15, 1e15 + 1],
            [1e308, 1e308],
        ] as [[Double]]
    )
    func extremeNumbersAreDrawnOrLeftOut(values: [Double]) throws {
        for claimed in [0, 1e308, -1e308, Double.leastNonzeroMagnitude] {
            for tolerance in [0, 1e308] {
                var sample = SampleValidation()
                (sample.values, sample.claimed, sample.tolerance) = (values, claimed, tolerance)
                let page = try PageDocument(try sample.page())
                for element in page.elements {
                    for name in ["x", "width", "d", "points", "y", "cx", "cy", "r"] {
                        let text = element.attributes[name] ?? ""
                        #expect(!text.contains("nan") && !text.contains("inf"), "\(element)")
                    }
                }
            }
        }
    }

    @Test func scalesHoldTheirValuesAndHaveRoundTicks() throws {
        #expect(
            try #require(Scale([0.2, 0.9])).ticks == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]
        )
        #expect(try #require(Scale([0.2, 3.9])).ticks == [0, 1, 2, 3, 4])
        #expect(try #require(Scale([-10, 20])).ticks == [-10, 0, 10, 20])
        #expect(Scale([.infinity]) == nil && Scale([-1e308, 1e308]) == nil)
        #expect(0.52341.short == "0.5234" && 12.0.short == "12" && (-0.0).short == "0")
    }
}

/// The same numbers in every run: SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
