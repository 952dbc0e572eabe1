// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooEval

/// Whether the model computes what its reference implementation computed.
struct ParityCheck {
    private let reports: [EvaluationReport]
    private let isDefined: Bool

    init(_ reports: [EvaluationReport], _ definitions: [SuiteDefinition]) {
        self.reports = reports.filter { $0.definition.suite.name == Self.suite }
        isDefined = definitions.contains { $0.suite.name == Self.suite }
    }

    private static let suite = "golden"

    var check: ValidationReport.Check {
        guard isDefined else {
            return .init(
                skipped: .parity,
                "the release holds no outputs of a reference implementation"
            )
        }
        let stages = reports.reduce(0) { $0 + $1.measurements.count }
        return .init(
            .parity,
            "\(stages) stages against the outputs of the reference implementation",
            reports.flatMap(findings)
        )
    }

    /// A finding for each stage that differs by more than its tolerance, in the order of the stages.
    private func findings(_ report: EvaluationReport) -> [Finding] {
        let name = report.definition.name
        return report.measurements.filter { !$0.isWithinLimit }.map { measurement in
            Finding(
                .parityBroken,
                path: "\(SuiteDefinition.folder)/\(name).json",
                message: "the suite '\(name)' found '\(measurement.metric.name)' of "
                    + "\(measurement.value), and at most \(measurement.limit?.value ?? 0) is expected "
                    + "(\(measurement.limit?.reason ?? ""))",
                remedy: "find the first stage that differs: weights, configuration or "
                    + "preprocessing are not those that the reference implementation ran"
            )
        }
    }
}

/// Whether every suite of the release runs.
struct SuiteCheck {
    private let reports: [EvaluationReport]
    private let failures: [Finding]
    private let absent: [SuiteDefinition]

    /// Describes what became of the suites.
    ///
    /// - Parameters:
    ///   - reports: those that ran.
    ///   - failures: why others did not.
    ///   - absent: those whose data only users hold, and were not given.
    init(_ reports: [EvaluationReport], _ failures: [Finding], absent: [SuiteDefinition]) {
        self.reports = reports
        self.failures = failures
        self.absent = absent
    }

    var check: ValidationReport.Check {
        let named = absent.map { definition in
            guard case .held(let source) = definition.data else { return definition.name }
            return "\(definition.name) (--data \(source.name)=PATH)"
        }
        let others =
            absent.isEmpty ? "" : "not measured, data not given: " + named.joined(separator: ", ")
        guard !reports.isEmpty || !failures.isEmpty else {
            return .init(
                skipped: .suites,
                absent.isEmpty ? "the release defines no suites" : others
            )
        }
        let names = reports.map(\.definition.name).joined(separator: ", ")
        return .init(
            .suites,
            (names.isEmpty ? "no suite ran" : names) + (others.isEmpty ? "" : "; \(others)"),
            failures
        )
    }
}

/// Whether every claim is what was measured.
struct ClaimCheck {
    private let claims: [ClaimComparison]

    init(_ claims: [ClaimComparison]) { self.claims = claims }

    var check: ValidationReport.Check {
        guard !claims.isEmpty else { return .init(skipped: .claims, "the release claims nothing") }
        let measured = claims.count { $0.measured != nil }
        let upstream = ClaimCounts(claims).upstream
        let absent = claims.count { $0.outcome == .dataNotGiven }
        let summary =
            "\(measured) of \(claims.count) claims measured"
            + (upstream > 0 ? ", \(upstream) claimed upstream and not measured again" : "")
            + (absent > 0 ? ", \(absent) not measured: data not given" : "")
        // A check that looked at no claim did not pass.
        guard measured > 0 || absent == 0 || claims.contains(where: { $0.outcome == .notMeasured })
        else { return .init(skipped: .claims, summary) }
        return .init(.claims, summary, claims.compactMap(finding))
    }

    private func finding(_ claim: ClaimComparison) -> Finding? {
        let name = "the claim '\(claim.claim.metric)' of the suite '\(claim.claim.suite)'"
        switch claim.outcome {
        case .reproduced, .upstream: return nil
        case .better:
            return Finding(
                .claimExceeded,
                .warning,
                path: "evaluation",
                message:
                    "\(name) is \(claim.claim.value), and \(claim.measured ?? 0) was measured, which is "
                    + "better by more than its tolerance of \(claim.claim.tolerance ?? 0)",
                remedy: "claim what is measured"
            )
        case .worse:
            return Finding(
                .claimNotReproduced,
                path: "evaluation",
                message:
                    "\(name) is \(claim.claim.value), and \(claim.measured ?? 0) was measured, which is "
                    + "worse by more than its tolerance of \(claim.claim.tolerance ?? 0)",
                remedy: "claim what is measured, or find out what changed"
            )
        case .dataNotGiven:
            return Finding(
                .claimDataMissing,
                .warning,
                path: "evaluation",
                message: "\(name) of \(claim.claim.value) was not measured: data not given",
                remedy: "give their folder or archive with --data \(claim.claim.dataset)=PATH"
            )
        case .notMeasured:
            return Finding(
                .claimNotReproduced,
                path: "evaluation",
                message: "\(name) of \(claim.claim.value) was not measured",
                remedy: "define its suite in the release, or mark the claim 'upstream'"
            )
        }
    }
}

/// Whether this version is as good as the one before, by the claims of that one.
struct RegressionCheck {
    let check: ValidationReport.Check

    init(_ context: Validator.Context, _ evaluations: [JSONValue]) throws(ZooError) {
        guard let previous = context.previous else {
            check = .init(skipped: .regression, "there is no version before this one")
            return
        }
        let name = "\(previous.record.name):\(previous.record.version)"
        var objects: [JSONObject] = []
        for evaluation in evaluations { objects.append(try JSONObject(evaluation)) }
        let compared = try ValidationEvidence.compare(previous.record.evaluation, with: objects)
            .filter { $0.measured != nil }
        guard !compared.isEmpty else {
            check = .init(
                skipped: .regression,
                "\(name) claims nothing that the suites of this version measure on the same data"
            )
            return
        }
        check = .init(
            .regression,
            "\(compared.count) claims of \(name)",
            compared.filter { $0.outcome == .worse }.map { claim in
                let accepted = context.acceptedRegression
                return Finding(
                    .regression,
                    accepted == nil ? .error : .warning,
                    path: "evaluation",
                    message: "'\(claim.claim.metric)' of the suite '\(claim.claim.suite)' was "
                        + "\(claim.claim.value) in \(name), and is "
                        + "\(claim.measured ?? 0), which is worse by more than its tolerance"
                        + (accepted.map { "; accepted: \($0)" } ?? ""),
                    remedy: accepted == nil
                        ? "find out what changed, or accept it with --accept-regression REASON"
                        : nil
                )
            }
        )
    }
}
