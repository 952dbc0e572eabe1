// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension BillOfMaterials {
    /// A machine-learning bill of materials of CycloneDX 1.6.
    ///
    /// Source: CycloneDX/specification `schema/bom-1.6.schema.json`.
    var cycloneDX: JSONValue {
        let model = "model"
        return [
            "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "serialNumber": .string(serialNumber),
            "metadata": [
                "timestamp": .string(created.text),
                "tools": [
                    "components": [
                        ["type": "application", "name": "ami-zoo", "version": .string(program)]
                    ]
                ],
                "component": .object(modelComponent(model)),
            ],
            "components": .array(
                record.files.map(Self.file) + dataSets.map { .object(Self.dataSet($0)) }
            ),
            "dependencies": [
                [
                    "ref": .string(model),
                    "dependsOn": .array(record.files.map { .string(Self.reference($0)) }),
                ]
            ],
        ]
    }

    /// The same for the same release (RFC 9562, version 8).
    private var serialNumber: String {
        var digits = Array(digest.hex.prefix(32))
        digits[12] = "8"
        digits[16] = "8"
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
        return "urn:uuid:" + parts.joined(separator: "-")
    }

    private func modelComponent(_ reference: String) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "type": "machine-learning-model", "bom-ref": .string(reference),
            "name": .string(record.name.description),
            "version": .string(record.version.description),
            "description": .string(record.summary), "purl": .string(packageURL),
            "authors": .array(record.authors.map { ["name": .string($0)] }),
            "licenses": [
                licenceExpression.map { ["expression": .string($0)] }
                    ?? ["license": ["name": .string(record.licence)]]
            ],
            "modelCard": modelCard,
            "properties": .array(properties),
        ]
        if let homepage = record.homepage {
            members["externalReferences"] = [["type": "website", "url": .string(homepage)]]
        }
        if !ancestors.isEmpty {
            members["pedigree"] = [
                "ancestors": .array(ancestors.map { .object(Self.ancestor($0)) })
            ]
        }
        return members
    }

    private var modelCard: JSONValue {
        var members: [String: JSONValue] = [
            "modelParameters": [
                "architectureFamily": .string(record.architecture.family),
                "modelArchitecture": .string(record.architecture.variant),
                "datasets": .array(dataSets.map { ["ref": .string("dataset:\($0.name)")] }),
                "inputs": [["format": .string(record.inputs.modality.rawValue)]],
            ]
        ]
        guard !claims.isEmpty else { return .object(members) }
        members["quantitativeAnalysis"] = [
            "performanceMetrics": .array(
                claims.map { comparison in
                    [
                        "type": .string(comparison.claim.metric),
                        "value": .string(comparison.claimedText),
                        "slice": .string(comparison.claim.dataset),
                    ]
                }
            )
        ]
        members["properties"] = .array(
            claims.map { comparison in
                Self.property(
                    "claim:\(comparison.claim.suite):\(comparison.claim.metric)",
                    comparison.originText
                )
            }
        )
        return .object(members)
    }

    private var properties: [JSONValue] {
        [
            Self.property("manifest", digest.description), Self.property("evidence", evidenceText),
            Self.property("lineage", record.lineage.kind.rawValue),
        ]
            + record.components.map { part in
                Self.property(
                    "component:\(part.name)",
                    "\(part.parameters) parameters in \(part.tensors) tensors "
                        + "(\(part.dtypes.joined(separator: ", "))), fingerprint \(part.fingerprint)"
                )
            }
    }

    private static func property(_ name: String, _ value: String) -> JSONValue {
        ["name": .string("ami-zoo:\(name)"), "value": .string(value)]
    }

    private static func hashes(_ digest: ContentDigest) -> JSONValue {
        [["alg": "SHA-256", "content": .string(digest.hex)]]
    }

    private static func reference(_ file: ReleaseRecord.File) -> String { "file:\(file.path.text)" }

    private static func file(_ file: ReleaseRecord.File) -> JSONValue {
        [
            "type": "file", "bom-ref": .string(reference(file)), "name": .string(file.path.text),
            "hashes": hashes(file.digest),
        ]
    }

    private static func dataSet(
        _ data: (name: String, digest: ContentDigest?)
    ) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "type": "data", "bom-ref": .string("dataset:\(data.name)"), "name": .string(data.name),
            "data": [["type": "dataset", "name": .string(data.name)]],
        ]
        if let digest = data.digest {
            members["properties"] = [property("manifest", digest.description)]
        }
        return members
    }

    private static func ancestor(
        _ source: (name: String, url: String?, digest: ContentDigest?)
    ) -> [String: JSONValue] {
        var members: [String: JSONValue] = ["type": "file", "name": .string(source.name)]
        if let digest = source.digest { members["hashes"] = hashes(digest) }
        if let url = source.url {
            members["externalReferences"] = [["type": "distribution", "url": .string(url)]]
        }
        return members
    }
}
