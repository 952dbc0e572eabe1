// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The evidence that a release was validated and passed: a statement and its report, checked against the
/// release's record.
///
/// It says what the documents say; who wrote them is a matter of signatures.
public struct ValidationEvidence: Sendable, Equatable {
    private let source: ValidationStatement

    /// The in-toto statement.
    public var statement: [UInt8] { source.statement }
    /// The report.
    public var report: [UInt8] { source.report }
    /// A Sigstore bundle that comes with the statement, and claims to sign it; nil if there is none.
    ///
    /// It is not read here.
    public var signature: [UInt8]? { source.signature }
    /// The claims of the record, as the report measured them.
    public var claims: [ClaimComparison] { source.claims }
    /// When the release was validated.
    public var created: Timestamp { source.created }
    /// The version of the program that validated it.
    public var program: String { source.program }
    /// The machine that measured.
    public var machine: JSONValue { source.machine }

    /// Claims that were measured again and reproduced, or exceeded.
    public var reproduced: Int { ClaimCounts(claims).reproduced }

    /// Takes a statement that passed.
    ///
    /// - Throws: ``ZooError`` with code `evidence.not-passed`.
    public init(_ statement: ValidationStatement) throws(ZooError) {
        if let failure = statement.failure { throw failure }
        source = statement
    }

    /// Checks evidence.
    ///
    /// - Throws: as ``ValidationStatement/init(statement:report:signature:of:_:)`` and ``init(_:)``.
    public init(
        statement: [UInt8],
        report: [UInt8],
        signature: [UInt8]? = nil,
        of record: ReleaseRecord,
        _ digest: ContentDigest
    ) throws(ZooError) {
        try self.init(
            try ValidationStatement(
                statement: statement,
                report: report,
                signature: signature,
                of: record,
                digest
            )
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
