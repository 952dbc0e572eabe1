// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A statement about the validation of a release, with its report: checked to be about that release, and compared with
/// its record, whether it passed or failed.
public struct ValidationStatement: Sendable, Equatable {
    /// The in-toto statement.
    public let statement: [UInt8]
    /// The report.
    public let report: [UInt8]
    /// A Sigstore bundle that comes with the statement, and claims to sign it; nil if there is none.
    ///
    /// It is not read here.
    public let signature: [UInt8]?
    /// The claims of the record, as the report measured them.
    public let claims: [ClaimComparison]
    /// When the release was validated.
    public let created: Timestamp
    /// The version of the program that validated it.
    public let program: String
    /// The machine that measured.
    public let machine: JSONValue
    /// Why the validation did not pass, with code `evidence.not-passed`; nil if it passed.
    public let failure: ZooError?

    /// Checks a statement and its report.
    ///
    /// The outcome is not believed: every claim of the record is compared with the measurement in the report.
    ///
    /// - Parameters:
    ///   - statement: the statement.
    ///   - report: the report.
    ///   - signature: the bundle that claims to sign the statement; nil if there is none.
    ///   - record: the record of the release.
    ///   - digest: the digest of its manifest.
    /// - Throws: ``ZooError`` with code `evidence.other-release`, `evidence.changed`, or a `json.*` or `format.*`
    ///   code.
    public init(
        statement: [UInt8],
        report: [UInt8],
        signature: [UInt8]? = nil,
        of record: ReleaseRecord,
        _ digest: ContentDigest
    ) throws(ZooError) {
        let predicate = try EvidenceStatement.predicate(
            of: statement,
            EvidenceStatement.testResult,
            about: digest
        )
        let named = try predicate.object("report").object("digest").string("sha256")
        guard named == ContentDigest(of: report).hex else {
            throw ZooError(
                .evidenceChanged,
                "the report is not the one that the statement names",
                remedy: "validate the release again: 'ami-zoo validate FOLDER'"
            )
        }
        let limits = JSONValue.Limits(bytes: ValidationReport.limit, depth: 16, values: 400_000)
        let object = try JSONObject(try JSONValue(parsing: report, limits: limits))
        try object.requireFormat(ValidationReport.format)
        let model = try object.object("model")
        guard try model.digest("digest") == digest, try model.modelName("name") == record.name,
            try model.version("version") == record.version
        else {
            throw ZooError(
                .evidenceOfAnother,
                "the report is about another release than \(record.name):\(record.version), \(digest)",
                remedy: "validate this release: 'ami-zoo validate FOLDER'"
            )
        }
        let evaluations = try object.objects("evaluations", maximum: 1000)
        self.statement = statement
        self.report = report
        self.signature = signature
        claims = try ValidationEvidence.compare(record.evaluation, with: evaluations)
        created = try object.timestamp("created")
        program = try object.object("program").string("version")
        machine = try object.required("machine")
        do throws(ZooError) {
            try Self.requirePassed(predicate, object, evaluations, claims, digest)
            failure = nil
        } catch  where error.code == .evidenceNotPassed {
            failure = error
        }
    }

    private static func requirePassed(
        _ predicate: JSONObject,
        _ report: JSONObject,
        _ evaluations: [JSONObject],
        _ claims: [ClaimComparison],
        _ digest: ContentDigest
    ) throws(ZooError) {
        for evaluation in evaluations {
            guard try evaluation.digest("model") == digest else {
                throw notPassed("a suite measured another release")
            }
            try requireLimits(of: evaluation)
        }
        if let claim = claims.first(where: { !$0.isAcceptable }) {
            throw notPassed(
                "the claim '\(claim.claim.metric)' of \(claim.claim.value) was "
                    + (claim.measured.map { "measured as \($0)" } ?? "not measured"),
                remedy: claim.measured == nil
                    ? "validate again, with --data NAME=PATH if its suite measures on data that only users hold"
                    : nil
            )
        }
        try requireChecks(of: report)
        guard try report.string("result") == "passed", try predicate.string("result") != "FAILED"
        else { throw notPassed("the result is 'failed'") }
    }

    /// Checks that no check failed, and that every byte was compared with the record.
    private static func requireChecks(of report: JSONObject) throws(ZooError) {
        var passed: Set<String> = []
        for check in try report.objects("checks", maximum: 100) {
            let (name, result) = (try check.string("name"), try check.string("result"))
            if result == ValidationReport.Check.Result.failed.rawValue {
                throw notPassed("the check '\(name)' failed")
            }
            if result == ValidationReport.Check.Result.passed.rawValue { passed.insert(name) }
        }
        // A report without it says nothing about the files.
        guard passed.contains(ValidationReport.Check.Name.integrity.rawValue) else {
            throw notPassed("the files were not checked")
        }
    }

    /// Checks the bounds that suites set themselves, such as those of `golden`.
    private static func requireLimits(of evaluation: JSONObject) throws(ZooError) {
        for metric in try evaluation.objects("metrics", maximum: 1000) {
            guard let limit = try metric.optionalObject("limit")?.number("value") else { continue }
            let value = try metric.number("value")
            let isLower = try metric.string("direction") == "lower"
            guard isLower ? value <= limit : value >= limit else {
                throw notPassed(
                    "'\(try metric.string("name"))' is \(value), and its bound \(limit)"
                )
            }
        }
    }

    private static func notPassed(_ why: String, remedy: String? = nil) -> ZooError {
        ZooError(
            .evidenceNotPassed,
            "the validation did not pass: \(why)",
            remedy: remedy ?? "correct the model or its claims, then validate again"
        )
    }
}
