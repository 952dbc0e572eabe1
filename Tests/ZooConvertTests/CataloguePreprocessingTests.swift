// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooConvert
import ZooCore
import ZooMedia

/// The preprocessing that the entries of `models/` state, against what the families do.
@Suite struct CataloguePreprocessingTests {
    private static let catalogue = Catalogue(
        folder: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "models").path()
    )

    /// What the entries of one kind state, for a square of `side` pixels.
    private enum Rule: String, CaseIterable {
        case processor, views, pillow, anticipation, square, normalizedFirst, half, image

        init(_ entry: CatalogueEntry) {
            let name = entry.name.name.replacing("-probe", with: "")
            let dataset = name.split(separator: "-").last.map(String.init) ?? ""
            switch entry.family {
            case .ijepa: self = .image
            case .vjepa, .vjepa2, .vjepa21, .vjepa2Classifier: self = .processor
            case .vjepaProbe, .vjepa2Probe:
                self =
                    dataset == "ek100"
                    ? .anticipation
                    : ["in1k", "places", "inat"].contains(dataset) ? .pillow : .views
            // The predictors of JEPA-WM have no encoder; their images are prepared as JEPA-WM does.
            case .vjepa2AC: self = entry.name.name == "vjepa2-ac-vitg" ? .normalizedFirst : .square
            case .jepaWM: self = .square
            case .dinoWM: self = .half
            case .lewm: self = .normalizedFirst
            case .seriesJEPA: preconditionFailure("time series have no preprocessing of pictures")
            }
        }

        /// The same rule as the runtime implements it.
        func runtime(_ side: Int, antialias: Bool) -> Preprocessing {
            switch self {
            case .processor: .vjepa2Processor(crop: side)
            case .views: .metaVideoViews(crop: side)
            case .pillow: .metaImage(crop: side)
            case .anticipation: .metaVideo(crop: side)
            case .square: .jepaWM(side: side)
            case .half: .dinoWM(side: side)
            case .normalizedFirst:
                Preprocessing(
                    resize: .exact(width: side, height: side),
                    resampling: .normalisedFloats(antialias: antialias),
                    crop: .none
                )
            case .image:
                Preprocessing(
                    resize: .exact(width: side, height: side),
                    resampling: .bytes(.torchvisionBilinear),
                    crop: .none
                )
            }
        }
    }

    /// The values for what an entry does not know.
    private static func completion(_ rule: Rule, _ side: Int) -> JSONValue {
        [
            "orientation": "upright",
            "resize": ["rule": "exact", "height": .integer(side), "width": .integer(side)],
            "crop": ["rule": "none"],
            "resampling": [
                "filter": "bilinear", "antialias": .bool(rule != .anticipation), "domain": "u8",
                "implementation": rule == .anticipation ? "opencv" : "torchvision",
            ],
        ]
    }

    /// `value` with every `unknown` replaced by the value of `other` in the same place.
    private static func complete(_ value: JSONValue, with other: JSONValue?) -> JSONValue {
        if value == "unknown", let other { return other }
        guard case .object(let members) = value else { return value }
        var others: [String: JSONValue] = [:]
        if case .object(let members)? = other { others = members }
        return .object(
            Dictionary(
                uniqueKeysWithValues: members.map { ($0, complete($1, with: others[$0])) }
            )
        )
    }

    @Test func everyEntryStatesWhatItsFamilyDoes() throws {
        var seen: Set<Rule> = []
        for name in try Self.catalogue.names() {
            let entry = try Self.catalogue.entry(name)
            let rule = Rule(entry)
            seen.insert(rule)
            let side = try entry.inputs.integer("height", in: 1...1024)
            #expect(try entry.inputs.integer("width", in: 1...1024) == side, "\(name)")
            #expect(entry.resolution == side, "\(name)")
            let stated = try entry.inputs.object("preprocessing").members
            let steps = try PictureSteps(
                JSONObject(Self.complete(.object(stated), with: Self.completion(rule, side))),
                channels: 3
            )
            let expected = rule.runtime(side, antialias: entry.family == .lewm)
            #expect(try Preprocessing(steps) == expected, "\(name)")
        }
        #expect(seen == Set(Rule.allCases))
    }

    @Test func noEntryStatesMoreOrLessThanTheFields() throws {
        let fields: Set = [
            "orientation", "resize", "resampling", "crop", "rescale", "mean", "std",
        ]
        for name in try Self.catalogue.names() {
            let inputs = try Self.catalogue.entry(name).inputs
            #expect(Set(try inputs.object("preprocessing").members.keys) == fields, "\(name)")
            let others: Set = [
                "modality", "frames", "height", "width", "channels", "layout", "preprocessing",
            ]
            #expect(Set(inputs.members.keys) == others, "\(name)")
        }
    }

    /// The record of a conversion states what the entries of the same family state.
    @Test(arguments: [
        ("ijepa", "meta/ijepa-vith14-1k"), ("vjepa", "meta/vjepa-vitl"),
        ("vjepa2", "meta/vjepa2-vitl"), ("vjepa21", "meta/vjepa2.1-vitl-384"),
        ("vjepa2-ac", "meta/vjepa2-ac-vitg"), ("lewm", "quentinll/lewm-pusht"),
    ])
    func aConversionRecordsTheSameSteps(conversion: String, entry: String) throws {
        let sample = try ConversionCase(conversion)
        let planned = try JSONObject(sample.source.plan(sample.options).inputs)
        let side = try planned.integer("height", in: 1...1024)
        let stated = try Self.catalogue.entry(ModelName(parsing: entry))
        let ownSide = try stated.inputs.integer("height", in: 1...1024)
        var text = String(
            decoding: JSONValue.object(try stated.inputs.object("preprocessing").members)
                .canonicalBytes,
            as: UTF8.self
        )
        for (own, small) in [(ownSide, side), (ownSide * 256 / 224, side * 256 / 224)] {
            text = text.replacing(":\(own)", with: ":\(small)")
        }
        let steps = try planned.object("preprocessing").members
        let completed = Self.complete(
            try JSONValue(parsing: Array(text.utf8)),
            with: .object(steps)
        )
        #expect(try JSONObject(completed).members == steps)
    }
}
