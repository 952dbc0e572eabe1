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
            // These files were never fetched, so their size and digest cannot be known.
            #expect(entry.files.allSatisfy { $0.digest == nil && $0.size == nil }, "\(name)")
        }
    }

    @Test func everyPublishedFamilyIsThere() throws {
        let families = try catalogue.names().map { try catalogue.entry($0).family }
        // Nobody else has published models of the family of ami/turbofan.
        #expect(Set(families) == Set(FamilyID.allCases).subtracting([.seriesJEPA]))
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
        func consent(_ name: String) throws -> CatalogueEntry.Consent? {
            try catalogue.entry(ModelName(parsing: name)).consent
        }
        #expect(try consent("meta/ijepa-vith14-1k") == .nonCommercial)
        #expect(try consent("quentinll/lewm-pusht") == .unknownLicence)
        #expect(try consent("meta/vjepa2-vitl") == nil)
    }

    /// A catalogue entry with a licence, and further members.
    private func entry(_ licence: String, _ more: String = "") throws -> CatalogueEntry {
        let text = Self.sound.replacingOccurrences(
            of: #""licence":"MIT""#,
            with: #""licence":"\#(licence)"\#(more)"#
        )
        return try CatalogueEntry(JSONObject(JSONValue(parsing: Array(text.utf8)), at: ""))
    }

    @Test(
        arguments: [
            ("MIT", nil), ("Apache-2.0 WITH LLVM-exception", nil), ("GPL-2.0+", nil),
            ("CC-BY-NC-4.0", .nonCommercial), ("CC-BY-NC-SA-4.0", .nonCommercial),
            ("PolyForm-Noncommercial-1.0.0", .nonCommercial), ("LicenseRef-Lab", .ownTerms),
            ("DocumentRef-a:LicenseRef-Lab", .ownTerms), ("MIT OR CC-BY-NC-4.0", nil),
            ("MIT AND CC-BY-NC-4.0", .nonCommercial), ("LicenseRef-Lab OR CC-BY-NC-4.0", .ownTerms),
            ("(MIT OR LicenseRef-Lab) AND Apache-2.0", nil),
            ("MIT AND (LicenseRef-Lab OR CC-BY-NC-4.0)", .ownTerms), ("BSD-3-Clause", nil),
            // AND binds more closely than OR.
            ("MIT OR CC-BY-NC-4.0 AND LicenseRef-Lab", nil),
        ] as [(String, CatalogueEntry.Consent?)]
    )
    func theLicenceDecidesWhatConsentIsFor(
        licence: String,
        consent: CatalogueEntry.Consent?
    ) throws {
        #expect(try entry(licence).consent == consent)
    }

    @Test(arguments: [
        "", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT Apache-2.0", "WITH MIT", "MIT WITH", "()",
        "MIT/Apache", "any licence at all", "LicenseRef_Lab",
    ])
    func whatIsNoExpressionIsRefused(licence: String) {
        #expect(throws: ZooError(.fieldInvalid, "")) { try entry(licence) }
    }

    @Test func deepNestingIsRefusedWithoutTakingTheStack() {
        let depth = 600
        let text =
            String(repeating: "(", count: depth) + "MIT" + String(repeating: ")", count: depth)
        #expect(throws: ZooError(.fieldInvalid, "")) { try LicenceExpression(parsing: text) }
    }

    @Test func theCataloguesOwnWordAboutCommercialUseDecides() throws {
        // A name alone does not say that commercial use is forbidden.
        let own = try entry("LicenseRef-Lab", #","commercialUse":true"#)
        #expect(own.consent == .ownTerms)
        let error = #expect(throws: ZooError(.importLicence, "")) { try own.requireConsent(nil) }
        let message = error?.message ?? ""
        #expect(!message.contains("commercial") && message.contains("LicenseRef-Lab"), "\(message)")
        try own.requireConsent("LicenseRef-Lab")
        #expect(try entry("MIT", #","commercialUse":false"#).consent == .nonCommercial)
        #expect(try entry("LicenseRef-Lab", #","commercialUse":false"#).consent == .nonCommercial)
        for refused in [#","commercialUse":1"#, #","commercialUse":"no""#] {
            #expect(throws: ZooError(.fieldInvalid, "")) { try entry("MIT", refused) }
        }
        #expect(throws: ZooError(.fieldInvalid, "")) {
            try entry("CC-BY-NC-4.0", #","commercialUse":true"#)
        }
    }

    private static let sound = """
        {"name":"lab/tiny","summary":"s","authors":["a"],"licence":"MIT","homepage":"https://e.org",
        "architecture":{"family":"vjepa2","variant":"tiny"},
        "upstream":{"url":"https://e.org/x.pt","size":"unknown","sha256":"unknown",
        "component":"encoder"},"components":[{"name":"encoder","tensors":"unknown"}],
        "inputs":{"modality":"video","frames":4,"height":16,"width":16,"channels":"rgb",
        "layout":"BTCHW","preprocessing":{"orientation":"upright",
        "resize":{"rule":"shorter-side","side":18},"resampling":{"filter":"unknown",
        "antialias":true,"domain":"u8","implementation":"torchvision"},"crop":{"rule":"center",
        "height":16,"width":16,"rounding":"down"},"rescale":1,"mean":[0,0,0],"std":[1,1,1]}},
        "evaluation":[],"unknown":["size","sha256","components.encoder.tensors",
        "inputs.preprocessing.resampling.filter"]}
        """

    @Test func aSoundEntryIsRead() throws {
        let object = try JSONObject(JSONValue(parsing: Array(Self.sound.utf8)), at: "")
        #expect(try CatalogueEntry(object).components[0].tensors == nil)
    }

    @Test(arguments: [
        (#""family":"vjepa2""#, #""family":"resnet""#), ("https://e.org/x.pt", "http://e.org/x.pt"),
        (#"["size","sha256","#, #"["sha256","#), (#","components.encoder.tensors""#, ""),
        (#""evaluation":[]"#, #""evaluation":[{"suite":"x"}]"#), (#""summary":"s","#, ""),
        (#""name":"lab/tiny""#, #""name":"Lab""#), (#""size":"unknown""#, #""size":-1"#),
        // Preprocessing: prose, an unlisted unknown value, values that break their rule.
        (#""resampling":{"#, #""resampling":"bilinear, no antialias","text":{"#),
        (#""orientation":"upright""#, #""orientation":"unknown""#), (#""side":18"#, #""side":0"#),
        (#""domain":"u8""#, #""domain":"bytes""#), (#""rule":"center""#, #""rule":"middle""#),
        (#""std":[1,1,1]"#, #""std":[1,1,0]"#), (#","rescale":1"#, ""),
        (#"{"rule":"shorter-side","side":18}"#, #"{"rule":"none"}"#),
    ])
    func anythingElseIsRefused(part: String, replacement: String) throws {
        let text = Self.sound.replacingOccurrences(of: part, with: replacement)
        #expect(text != Self.sound)
        let object = try JSONObject(JSONValue(parsing: Array(text.utf8)), at: "")
        #expect(throws: ZooError(.fieldInvalid, "")) { try CatalogueEntry(object) }
    }
}
