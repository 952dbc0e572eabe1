// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooCore

/// The entries of `models/`.
@Suite struct CatalogueTests {
    private let catalogue = Catalogue(
        folder: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "models").path()
    )

    @Test func everyEntryIsValidAndHasACard() throws {
        let names = try catalogue.names()
        #expect(names.count == 57)
        for name in names {
            let entry = try catalogue.entry(name)
            #expect(try !catalogue.card(name).isEmpty, "\(name)")
            if let backbone = entry.backbone { #expect(names.contains(backbone), "\(name)") }
            // Nobody has fetched these files yet: what is pinned would be invented.
            #expect(entry.files.allSatisfy { $0.digest == nil && $0.size == nil }, "\(name)")
        }
    }

    @Test func everyPublishedFamilyIsThere() throws {
        let families = try catalogue.names().map { try catalogue.entry($0).family }
        #expect(Set(families) == Set(FamilyID.allCases))
        let counts = Dictionary(grouping: families) { $0 }.mapValues(\.count)
        #expect(counts[.ijepa] == 4 && counts[.vjepa] == 3 && counts[.vjepaProbe] == 15)
        #expect(counts[.vjepa2] == 4 && counts[.vjepa2Probe] == 6)
        #expect(counts[.vjepa2Classifier] == 4 && counts[.vjepa21] == 4 && counts[.lewm] == 4)
    }

    @Test func probesSayWhichBlocksTheyRead() throws {
        let levels = try catalogue.names().compactMap { try catalogue.entry($0).levels }
        #expect(levels.sorted { $0[0] < $1[0] } == [[17, 19, 21, 23], [24, 29, 34, 39]])
    }

    @Test func nonCommercialAndUnknownLicencesNeedConsent() throws {
        #expect(try catalogue.entry(ModelName(parsing: "meta/ijepa-vith14-1k")).needsAcceptance)
        #expect(try catalogue.entry(ModelName(parsing: "quentinll/lewm-pusht")).needsAcceptance)
        #expect(try !catalogue.entry(ModelName(parsing: "meta/vjepa2-vitl")).needsAcceptance)
    }

    private static let sound = """
        {"name":"lab/tiny","summary":"s","authors":["a"],"licence":"MIT","homepage":"https://e.org",
        "architecture":{"family":"vjepa2","variant":"tiny"},
        "upstream":{"url":"https://e.org/x.pt","size":"unknown","sha256":"unknown",
        "component":"encoder"},"components":[{"name":"encoder","tensors":"unknown"}],
        "inputs":{"modality":"video","frames":4,"height":16,"width":16,"channels":"rgb",
        "layout":"BTCHW","mean":[0,0,0],"std":[1,1,1],"resampling":"none"},"evaluation":[],
        "unknown":["size","sha256","components.encoder.tensors"]}
        """

    @Test func aSoundEntryIsRead() throws {
        let object = try JSONObject(JSONValue(parsing: Array(Self.sound.utf8)), at: "")
        #expect(try CatalogueEntry(object).components[0].tensors == nil)
    }

    @Test(arguments: [
        (#""family":"vjepa2""#, #""family":"resnet""#), ("https://e.org/x.pt", "http://e.org/x.pt"),
        (#"["size","sha256","#, #"["sha256","#), (#","components.encoder.tensors"]"#, "]"),
        (#""evaluation":[]"#, #""evaluation":[{"suite":"x"}]"#), (#""summary":"s","#, ""),
        (#""name":"lab/tiny""#, #""name":"Lab""#), (#""size":"unknown""#, #""size":-1"#),
    ])
    func anythingElseIsRefused(part: String, replacement: String) throws {
        let text = Self.sound.replacingOccurrences(of: part, with: replacement)
        #expect(text != Self.sound)
        let object = try JSONObject(JSONValue(parsing: Array(text.utf8)), at: "")
        #expect(throws: ZooError.self) { try CatalogueEntry(object) }
    }
}
