// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension BillOfMaterials {
    /// A document of SPDX 3.0.1 with the AI profile, in JSON-LD.
    ///
    /// Source: spdx/spdx-3-model, `model/AI/Classes/AIPackage.md` and `model/Core`.
    var spdx: JSONValue {
        var graph = SPDXGraph(digest)
        let files = record.files.enumerated().map { index, file in
            graph.add(
                "software_File",
                "file/\(index)",
                ["name": .string(file.path.text), "verifiedUsing": Self.hashes(file.digest)]
            )
        }
        let sources = ancestors.enumerated().map { index, source in
            var members: [String: JSONValue] = ["name": .string(source.name)]
            if let digest = source.digest { members["verifiedUsing"] = Self.hashes(digest) }
            if let url = source.url { members["comment"] = .string("fetched from \(url)") }
            return graph.add("software_File", "upstream/\(index)", members)
        }
        let data = dataSets.enumerated().map { index, data in
            var members: [String: JSONValue] = [
                "name": .string(data.name), "dataset_datasetType": ["noAssertion"],
            ]
            if let digest = data.digest { members["comment"] = .string("manifest \(digest)") }
            return graph.add("dataset_DatasetPackage", "dataset/\(index)", members)
        }
        let authors = record.authors.enumerated().map { index, author in
            graph.add("Agent", "author/\(index)", ["name": .string(author)])
        }
        let model = graph.add("ai_AIPackage", "model", package(authors, &graph))
        graph.relate(model, "contains", files, isComplete: true)
        graph.relate(model, "descendantOf", sources)
        graph.relate(model, "testedOn", data)
        let licence = licenceExpression.map {
            graph.add(
                "simplelicensing_LicenseExpression",
                "licence",
                ["simplelicensing_licenseExpression": .string($0)]
            )
        }
        graph.relate(model, "hasDeclaredLicense", [licence ?? SPDXGraph.noLicence])
        graph.relate(model, "hasConcludedLicense", [SPDXGraph.noLicence])
        return graph.document(
            about: model,
            name: "\(record.name):\(record.version)",
            created: created,
            program: program
        )
    }

    private func package(
        _ authors: [String],
        _ graph: inout SPDXGraph
    ) -> [String: JSONValue] {
        let namespace = record.name.description.prefix { $0 != "/" }
        let supplier = graph.add(
            "Agent",
            "supplier",
            ["name": .string("the namespace '\(namespace)'")]
        )
        var members: [String: JSONValue] = [
            "name": .string(record.name.description), "summary": .string(record.summary),
            "software_packageVersion": .string(record.version.description),
            "software_packageUrl": .string(packageURL),
            "software_downloadLocation": .string(registry ?? packageURL),
            "software_primaryPurpose": "model", "releaseTime": .string(record.created.text),
            "suppliedBy": .string(supplier),
            "ai_typeOfModel": [.string(record.architecture.family)],
            "ai_informationAboutTraining": .string(
                String(
                    decoding: JSONValue.object(record.lineage.details).canonicalBytes,
                    as: UTF8.self
                )
            ),
            "comment": .string("manifest \(digest); evidence: \(evidenceText)"),
        ]
        if !authors.isEmpty { members["originatedBy"] = .array(authors.map(JSONValue.string)) }
        if let homepage = record.homepage { members["software_homePage"] = .string(homepage) }
        if !claims.isEmpty {
            members["ai_metric"] = .array(
                claims.map { comparison in
                    [
                        "type": "DictionaryEntry",
                        "key": .string("\(comparison.claim.metric), \(comparison.claim.dataset)"),
                        "value": .string("\(comparison.claimedText) (\(comparison.originText))"),
                    ]
                }
            )
        }
        return members
    }

    private static func hashes(_ digest: ContentDigest) -> JSONValue {
        [["type": "Hash", "algorithm": "sha256", "hashValue": .string(digest.hex)]]
    }
}

/// The elements of an SPDX document.
private struct SPDXGraph {
    /// The individual that says that nothing is asserted about a licence.
    static let noLicence = "expandedlicensing_NoAssertionLicense"
    private static let creation = "_:creation"

    private let base: String
    private var elements: [JSONValue] = []
    private var identifiers: [String] = []
    private var relations = 0

    init(_ digest: ContentDigest) { base = "https://ami-zoo.org/spdx/\(digest.hex)/" }

    /// Adds an element, and returns its identifier.
    mutating func add(_ type: String, _ name: String, _ members: [String: JSONValue]) -> String {
        var members = members
        members["type"] = .string(type)
        members["spdxId"] = .string(base + name)
        members["creationInfo"] = .string(Self.creation)
        elements.append(.object(members))
        identifiers.append(base + name)
        return base + name
    }

    /// Adds a relationship, unless it is one to nothing.
    mutating func relate(
        _ from: String,
        _ type: String,
        _ to: [String],
        isComplete: Bool = false
    ) {
        guard !to.isEmpty else { return }
        relations += 1
        _ = add(
            "Relationship",
            "relationship/\(relations)",
            [
                "from": .string(from), "relationshipType": .string(type),
                "to": .array(to.map(JSONValue.string)),
                "completeness": isComplete ? "complete" : "noAssertion",
            ]
        )
    }

    mutating func document(
        about root: String,
        name: String,
        created: Timestamp,
        program: String
    ) -> JSONValue {
        let agent = add("SoftwareAgent", "agent", ["name": "ami-zoo"])
        let tool = add("Tool", "tool", ["name": .string("ami-zoo \(program)")])
        let all = identifiers
        _ = add(
            "SpdxDocument",
            "document",
            [
                "name": .string(name), "rootElement": [.string(root)],
                "element": .array(all.map(JSONValue.string)),
                "profileConformance": ["core", "software", "ai", "simpleLicensing"],
            ]
        )
        let creation: JSONValue = [
            "type": "CreationInfo", "@id": .string(Self.creation), "specVersion": "3.0.1",
            "created": .string(created.text), "createdBy": [.string(agent)],
            "createdUsing": [.string(tool)],
        ]
        return [
            "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
            "@graph": .array([creation] + elements),
        ]
    }
}
