// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The evidence that a release was validated and passed: a statement and its report, checked against the
/// release's record.
///
/// Only ``init(statement:report:of:_:)`` creates it. It says what the documents say; who wrote them is a matter
/// of signatures.
public struct ValidationEvidence: Sendable, Equatable {
    /// The in-toto statement.
    public let statement: [UInt8]
    /// The report.
    public let report: [UInt8]
    /// The claims of the record, as the report measured them.
    public let claims: [ClaimComparison]
    /// When it was validated.
    public let created: Timestamp
    /// The version of the program that validated it.
    public let program: String
    /// The machine that measured.
    public let machine: JSONValue

    /// Claims that were measured again and reproduced, or exceeded.
    public var reproduced: Int { ClaimCounts(claims).reproduced }

    /// Checks evidence.
    ///
    /// The outcome is not believed: every claim of the record is compared with the measurement in the report.
    ///
    /// - Parameters:
    ///   - statement: the statement.
    ///   - report: the report.
    ///   - record: the record of the release.
    ///   - digest: the digest of its manifest.
    /// - Throws: ``ZooError`` with code `evidence.other-release`, `evidence.changed`, `evidence.not-passed`, or
    ///   a `json.*` or `format.*` code.
    public init(
        statement: [UInt8],
        report: [UInt8],
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
        for evaluation in evaluations {
            guard try evaluation.digest("model") == digest else {
                throw Self.notPassed("a suite measured another release")
            }
            try Self.requireLimits(of: evaluation)
        }
        claims = try Self.compare(record.evaluation, with: evaluations)
        if let claim = claims.first(where: { !$0.isAcceptable }) {
            throw Self.notPassed(
                "the claim '\(claim.claim.metric)' of \(claim.claim.value) was "
                    + (claim.measured.map { "measured as \($0)" } ?? "not measured"),
                remedy: claim.measured == nil
                    ? "validate again, with --data NAME=PATH if its suite measures on data that only users hold"
                    : nil
            )
        }
        try Self.requireChecks(of: object)
        guard try object.string("result") == "passed", try predicate.string("result") != "FAILED"
        else { throw Self.notPassed("the result is 'failed'") }
        self.statement = statement
        self.report = report
        created = try object.timestamp("created")
        program = try object.object("program").string("version")
        machine = try object.required("machine")
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

    /// Compares claims with measurements.
    ///
    /// - Parameters:
    ///   - claims: the claims of a record.
    ///   - evaluations: reports of suites, `ami-zoo.evaluation/1`.
    ///   - absent: the digests of suites that did not run because their data were not given.
    /// - Returns: a comparison for each claim, in order.
    /// - Throws: ``ZooError`` with a `format.*` code.
    public static func compare(
        _ claims: [ReleaseRecord.EvaluationClaim],
        with evaluations: [JSONObject],
        withoutData absent: Set<ContentDigest> = []
    ) throws(ZooError) -> [ClaimComparison] {
        var result: [ClaimComparison] = []
        for claim in claims {
            var measured: Double?
            for evaluation in evaluations where measured == nil {
                measured = try ClaimComparison.value(of: claim, in: evaluation)
            }
            let isAbsent = claim.suiteDigest.map(absent.contains) ?? false
            result.append(ClaimComparison(claim, measured: measured, isDataGiven: !isAbsent))
        }
        return result
    }
}

/// Why a release was published without evidence.
public struct ValidationWaiver: Sendable, Equatable {
    /// The type of its predicate.
    public static let predicateType = "https://ami-zoo.org/evidence/unvalidated/v1"

    /// The reason.
    public let reason: String
    /// When it was given.
    public let date: Timestamp

    /// States a reason.
    ///
    /// - Parameters:
    ///   - reason: 1 to 1000 bytes without control characters.
    ///   - date: now.
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    public init(reason: String, date: Timestamp) throws(ZooError) {
        self.reason = try JSONObject(["reason": .string(reason)]).string("reason", maximum: 1000)
        self.date = date
    }

    /// Reads the statement about a release.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, or `evidence.other-release`.
    public init(statement: [UInt8], about digest: ContentDigest) throws(ZooError) {
        let predicate = try EvidenceStatement.predicate(
            of: statement,
            Self.predicateType,
            about: digest
        )
        reason = try predicate.string("reason", maximum: 1000)
        date = try predicate.timestamp("date")
    }

    /// The in-toto statement about a release.
    public func statement(about name: String, _ digest: ContentDigest) -> [UInt8] {
        EvidenceStatement.statement(
            about: name,
            digest,
            Self.predicateType,
            ["reason": .string(reason), "date": .string(date.text)]
        )
    }
}
