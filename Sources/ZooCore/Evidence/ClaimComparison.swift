// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A claim of a release beside what was measured.
public struct ClaimComparison: Sendable, Equatable {
    /// What the comparison says.
    public enum Outcome: String, Sendable, CaseIterable {
        /// The difference is at most the claim's tolerance.
        case reproduced
        /// The measured value is better than the claim by more than its tolerance.
        case better
        /// The measured value is worse than the claim by more than its tolerance.
        case worse
        /// The release says that it measured the value, and no suite measures it.
        case notMeasured = "not-measured"
        /// The suite of the claim measures on data that only users hold, and whoever validated gave none.
        case dataNotGiven = "data-not-given"
        /// Another lab reported the value; nothing measured it again.
        case upstream

        /// The outcome in words that need no explanation.
        public var words: String {
            switch self {
            case .reproduced: "reproduced"
            case .better: "better than claimed"
            case .worse: "worse than claimed"
            case .notMeasured: "not measured"
            case .dataNotGiven: "not measured: data not given"
            case .upstream: "claimed upstream, not measured again"
            }
        }
    }

    /// The claim.
    public let claim: ReleaseRecord.EvaluationClaim
    /// The measured value; nil when nothing was measured.
    public let measured: Double?
    private let isDataGiven: Bool

    /// Compares a claim.
    ///
    /// - Parameters:
    ///   - claim: the claim.
    ///   - measured: the value that the suite of the claim measured on its data; nil for none.
    ///   - isDataGiven: false if the suite did not run because its data are held by users only, and were not given.
    public init(
        _ claim: ReleaseRecord.EvaluationClaim,
        measured: Double?,
        isDataGiven: Bool = true
    ) {
        self.claim = claim
        self.measured = measured
        self.isDataGiven = isDataGiven
    }

    /// What the comparison says.
    public var outcome: Outcome {
        guard let measured else {
            return claim.status == .upstream
                ? .upstream : isDataGiven ? .notMeasured : .dataNotGiven
        }
        let difference = measured - claim.value
        // A number that is not finite is never reproduced.
        if abs(difference) <= claim.tolerance ?? 0 { return .reproduced }
        return (claim.direction == .lower ? difference < 0 : difference > 0) ? .better : .worse
    }

    /// Whether the claim may be published: it was reproduced, or is labelled as another lab's.
    public var isAcceptable: Bool {
        switch outcome {
        case .reproduced, .better, .upstream: true
        case .worse, .notMeasured, .dataNotGiven: false
        }
    }

    /// Whether a measurement is the one that a claim states.
    ///
    /// - Parameters:
    ///   - claim: the claim.
    ///   - evaluation: an evaluation in a validation report.
    /// - Returns: the measured value of the claim's metric; nil when the suite, the data or the metric are
    ///   others.
    /// - Throws: ``ZooError`` with a `format.*` code.
    static func value(
        of claim: ReleaseRecord.EvaluationClaim,
        in evaluation: JSONObject
    ) throws(ZooError) -> Double? {
        guard try claim.suite == evaluation.string("name"),
            let digest = claim.suiteDigest, try digest == evaluation.digest("suiteDigest"),
            try claim.datasetDigest
                == evaluation.object("data").optionalDigest("digest"),
            // What was measured with a probe of another release says nothing about this one alone.
            evaluation.value("probe") == nil
        else { return nil }
        for metric in try evaluation.objects("metrics", maximum: 1000)
        where try metric.string("name") == claim.metric {
            guard try metric.string("unit", maximum: 32) == claim.unit,
                try metric.string("direction") == claim.direction.rawValue
            else { return nil }
            return try metric.number("value")
        }
        return nil
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "suite": .string(claim.suite), "dataset": .string(claim.dataset),
            "metric": .string(claim.metric), "unit": .string(claim.unit),
            "direction": .string(claim.direction.rawValue), "claimed": .number(claim.value),
            "status": .string(claim.status.rawValue), "outcome": .string(outcome.rawValue),
        ]
        if let tolerance = claim.tolerance { members["tolerance"] = .number(tolerance) }
        if let measured { members["measured"] = .number(measured) }
        return .object(members)
    }
}
