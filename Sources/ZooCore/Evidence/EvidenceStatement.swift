// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An in-toto statement about a release: that it was validated, or why it was not.
///
/// Sources: in-toto/attestation `spec/v1/statement.md` and `spec/predicates/test-result.md` (v0.1).
public enum EvidenceStatement {
    /// The media type.
    public static let mediaType = "application/vnd.in-toto+json"
    /// The annotation with the type of the predicate, as other tools write it on layers.
    public static let predicateAnnotation = "in-toto.io/predicate-type"
    /// The type of the predicate of a validation.
    public static let testResult = "https://in-toto.io/attestation/test-result/v0.1"
    /// The largest size of a statement, in bytes.
    public static let limit = 4 << 20
    static let type = "https://in-toto.io/Statement/v1"

    /// The statement that a report is about a release.
    ///
    /// - Parameter report: the report.
    /// - Returns: canonical JSON.
    public static func testResult(of report: ValidationReport) -> [UInt8] {
        let bytes = report.json.canonicalBytes
        var (passed, warned, failed): ([JSONValue], [JSONValue], [JSONValue]) = ([], [], [])
        for check in report.checks {
            let name = JSONValue.string(check.name.rawValue)
            switch check.result {
            case .failed: failed.append(name)
            case .skipped: break
            case .passed where check.findings.isEmpty: passed.append(name)
            case .passed: warned.append(name)
            }
        }
        var configuration: [JSONValue] = []
        for evaluation in report.evaluations {
            guard let object = try? JSONObject(evaluation) else { continue }
            if let name = try? object.string("name"), let digest = try? object.digest("suiteDigest")
            {
                configuration.append(resource("suite \(name)", digest))
            }
            if let data = try? object.object("data"), let name = try? data.string("name"),
                let digest = try? data.digest("digest")
            {
                let set = resource(name, digest)
                if !configuration.contains(set) { configuration.append(set) }
            }
        }
        let predicate: JSONValue = [
            "result": .string(
                !failed.isEmpty ? "FAILED" : warned.isEmpty ? "PASSED" : "WARNED"
            ),
            "configuration": .array(configuration),
            "passedTests": .array(passed), "warnedTests": .array(warned),
            "failedTests": .array(failed),
            // Not a field of the predicate's definition, which lets readers ignore unknown ones.
            "report": [
                "name": "report.json", "mediaType": .string(ValidationReport.mediaType),
                "digest": ["sha256": .string(ContentDigest(of: bytes).hex)],
            ],
        ]
        return statement(
            about: "\(report.name):\(report.version)",
            report.digest,
            testResult,
            predicate
        )
    }

    static func statement(
        about name: String,
        _ digest: ContentDigest,
        _ type: String,
        _ predicate: JSONValue
    ) -> [UInt8] {
        let document: JSONValue = [
            "_type": .string(Self.type),
            "subject": [resource(name, digest)],
            "predicateType": .string(type),
            "predicate": predicate,
        ]
        return document.canonicalBytes
    }

    private static func resource(_ name: String, _ digest: ContentDigest) -> JSONValue {
        ["name": .string(name), "digest": ["sha256": .string(digest.hex)]]
    }

    /// Reads a statement about one release.
    ///
    /// - Parameters:
    ///   - bytes: JSON text.
    ///   - type: the type of the predicate.
    ///   - digest: the digest of the release's manifest.
    /// - Returns: the predicate.
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, or `evidence.other-release`.
    static func predicate(
        of bytes: [UInt8],
        _ type: String,
        about digest: ContentDigest
    ) throws(ZooError) -> JSONObject {
        let limits = JSONValue.Limits(bytes: limit, depth: 16, values: 100_000)
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        guard try object.string("_type") == Self.type else {
            throw object.invalid("_type", "is not '\(Self.type)'")
        }
        let subjects = try object.objects("subject", maximum: 16)
        guard subjects.count == 1 else {
            throw object.invalid("subject", "must name one release")
        }
        let found = try subjects[0].object("digest").string("sha256")
        guard found == digest.hex else {
            throw ZooError(
                .evidenceOfAnother,
                "the evidence is about sha256:\(found), and the release is \(digest)",
                remedy: "validate this release: 'ami-zoo validate FOLDER'"
            )
        }
        guard try object.string("predicateType") == type else {
            throw object.invalid("predicateType", "is not '\(type)'")
        }
        return try object.object("predicate")
    }
}
