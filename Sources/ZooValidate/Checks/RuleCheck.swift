// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooEval
internal import ZooFiles

/// What a release must state besides what its format requires.
struct RuleCheck {
    private let subject: ValidationSubject
    private let definitions: [SuiteDefinition]

    init(_ subject: ValidationSubject, _ definitions: [SuiteDefinition]) {
        self.subject = subject
        self.definitions = definitions
    }

    var check: ValidationReport.Check {
        let claims = subject.record.evaluation.filter { $0.status == .measured }
        return .init(
            .rules,
            "the card, \(definitions.count) suite definitions and \(claims.count) measured claims",
            card + definitions.flatMap(names) + claims.flatMap(rules)
        )
    }

    private var card: [Finding] {
        guard !subject.record.files.contains(where: { $0.path.text == "README.md" }) else {
            return []
        }
        return [
            Finding(
                .cardMissing,
                .warning,
                path: "README.md",
                message: "the release has no card",
                remedy: "describe the model in README.md: data, training, results, limits"
            )
        ]
    }

    private func names(_ definition: SuiteDefinition) -> [Finding] {
        let path = "\(SuiteDefinition.folder)/\(definition.name).json"
        guard !subject.record.files.contains(where: { $0.path.text == path }) else { return [] }
        return [
            Finding(
                .suiteNameWrong,
                path: path,
                message: "the definition '\(definition.name)' is not in the file of its name",
                remedy: "rename the file to '\(path)'"
            )
        ]
    }

    private func rules(_ claim: ReleaseRecord.EvaluationClaim) -> [Finding] {
        func finding(_ what: String, _ remedy: String) -> [Finding] {
            [
                Finding(
                    .claimUnfounded,
                    path: "evaluation",
                    message: "the claim '\(claim.metric)' \(what)",
                    remedy: remedy
                )
            ]
        }
        guard (claim.tolerance ?? 0) > 0 else {
            return finding("has no tolerance", "state how far a repeated measurement may differ")
        }
        guard let definition = definitions.first(where: { $0.name == claim.suite }) else {
            return finding(
                "names the suite '\(claim.suite)', which the release does not define",
                "add \(SuiteDefinition.folder)/\(claim.suite).json, or mark the claim 'upstream'"
            )
        }
        guard claim.suiteDigest == definition.digest else {
            return finding(
                "has another 'suiteDigest' than \(SuiteDefinition.folder)/\(claim.suite).json",
                "set it to \(definition.digest), after measuring again"
            )
        }
        switch definition.data {
        case .dataSet(let set):
            guard claim.datasetDigest == set.digest else {
                return finding(
                    "has another 'datasetDigest' than its suite",
                    "set it to \(set.digest), after measuring again"
                )
            }
        case .held(let source):
            guard let digest = source.digest else {
                return finding(
                    "is measured on held data, and its suite does not state which: a split has no 'digest'",
                    "add the 'digests' that 'ami-zoo evaluate' reports to 'splits' of "
                        + "\(SuiteDefinition.folder)/\(claim.suite).json"
                )
            }
            guard claim.dataset.isExactly(source.name), claim.datasetDigest == digest else {
                return finding(
                    "names other data than its suite",
                    "set 'dataset' to '\(source.name)' and 'datasetDigest' to \(digest), after measuring again"
                )
            }
        case .environment, .release: break
        }
        guard
            definition.metrics.contains(where: { $0.name == claim.metric && $0.unit == claim.unit })
        else {
            return finding(
                "in '\(claim.unit)' is no metric of the suite '\(claim.suite)'",
                "copy name and unit from 'metrics' of the definition"
            )
        }
        return []
    }
}
