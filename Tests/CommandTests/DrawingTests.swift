// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooTesting

#if canImport(FoundationXML)
import FoundationXML
#endif

/// SVG drawings as programs that show them read them.
@Suite struct DrawingTests {
    @Test("a trajectory has a title, axes in pixels and a legend")
    func trajectory() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            _ = try await zoo("pull", "ami/ball-drop")
            let path = folder.path(of: "x.svg")
            let run = try await zoo(
                "predict",
                "ami/ball-drop",
                Program.clip,
                "--read-out",
                "trajectory",
                "--svg",
                path
            )
            #expect(run.status == 0, "\(run.errors)")
            let drawing = try Drawing(try folder.read("x.svg"))
            #expect(drawing.title == "Trajectory predicted by ami/ball-drop:1.1.0")
            #expect(drawing.axes == ["x in pixels", "y in pixels"])
            for name in ["seen by the model", "true", "predicted"] {
                #expect(drawing.texts.contains(name))
            }
            #expect(drawing.texts.contains { $0.hasPrefix("true landing at x = ") })
            // Seen, true and predicted path, and in the legend.
            #expect(drawing.counts["polyline"] == 3 + 3)
        }
    }

    @Test("several windows are a curve, one window is a point, and each context is in the legend")
    func surprise() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            _ = try await zoo("pull", "ami/ball-drop")
            for (window, curves, dots) in [("8", 2, 10), ("16", 0, 2)] {
                let run = try await zoo(
                    "surprise",
                    "ami/ball-drop",
                    Program.clip,
                    "--window",
                    window,
                    "--context-frames",
                    "2",
                    "--context-frames",
                    "4",
                    "--svg",
                    folder.path(of: "x.svg")
                )
                #expect(run.status == 0, "\(run.errors)")
                let drawing = try Drawing(try folder.read("x.svg"))
                #expect(drawing.title == "Surprise over time")
                #expect(
                    drawing.axes == [
                        "number of the first predicted frame",
                        "surprise (mean absolute difference)",
                    ]
                )
                #expect(
                    drawing.texts.contains("2 frames seen")
                        && drawing.texts.contains("4 frames seen")
                )
                // The legend has a piece of each curve, between two dots.
                #expect(drawing.counts["polyline"] == curves + 2)
                #expect(drawing.counts["circle"] == dots + 4)
            }
        }
    }

    @Test("energies have axes in centimetres, a scale and marks")
    func energies() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release(
                "vjepa2-ac",
                ["--predictor-heads", "2", "--crop-size", "16", "--frames", "16"],
                in: folder
            )
            let input = folder.path(of: "input.safetensors")
            try Conversions.writeTrajectory(to: input)
            let run = try await Program(in: folder)(
                "plan",
                model,
                input,
                "--samples",
                "12",
                "--svg",
                folder.path(of: "x.svg")
            )
            #expect(run.status == 0, "\(run.errors)")
            let drawing = try Drawing(try folder.read("x.svg"))
            #expect(drawing.title == "Energy of moves")
            #expect(
                drawing.axes == [
                    "move along x in cm", "move along z in cm",
                    "energy (summed over moves along y)",
                ]
            )
            #expect(drawing.texts.contains("true move"))
            #expect(drawing.texts.contains("first move of the plan"))
            // Paper, 5 x 5 moves and the scale.
            #expect(drawing.counts["rect"] == 1 + 25 + 40)
        }
    }
}

/// What a reader of XML finds in a drawing.
private final class Drawing: NSObject, XMLParserDelegate {
    private(set) var title = ""
    private(set) var axes: [String] = []
    private(set) var texts: [String] = []
    private(set) var counts: [String: Int] = [:]
    private var style = ""
    private var (isAxis, content) = (false, "")

    init(_ bytes: [UInt8]) throws {
        super.init()
        let parser = XMLParser(data: Data(bytes))
        parser.delegate = self
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
        // Both schemes have all colours.
        let schemes = style.components(separatedBy: "prefers-color-scheme:dark")
        try #require(schemes.count == 2)
        for name in ["paper", "text", "muted", "grid", "series0", "series5"] {
            let colours = schemes.compactMap {
                $0.components(separatedBy: ".\(name){color:").dropFirst().first?.prefix(7)
            }
            #expect(Set(colours).count == 2, "\(name)")
        }
    }

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        counts[name, default: 0] += 1
        content = ""
        isAxis = attributes["class"]?.hasSuffix("axis") ?? false
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) { content += text }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        switch name {
        case "title": title = content
        case "style": style = content
        case "text" where isAxis: axes.append(content)
        case "text": texts.append(content)
        default: break
        }
    }
}
