// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTrust

/// The policy of a verification, and how its verdicts are shown.
struct PolicyUse: Sendable {
    let loaded: LoadedPolicy
    private let explain: Bool

    init(_ loaded: LoadedPolicy, explain: Bool) {
        self.loaded = loaded
        self.explain = explain
    }

    /// The field `policy` of `verify`; nil when nobody asked for a policy and there is none.
    func json(_ report: PolicyReport?) -> JSONValue? {
        guard loaded.path != nil || explain, let report, case .object(var members) = report.json
        else { return nil }
        members["path"] = loaded.path.map { .string($0) } ?? .null
        return .object(members)
    }

    /// The lines of `verify`: the verdict, and with `--explain` each rule.
    func lines(_ report: PolicyReport?) -> [String] {
        guard loaded.path != nil || explain else { return [] }
        guard let report else {
            return ["policy: not evaluated, because the record cannot be read"]
        }
        let origin =
            loaded.path.map { path in
                "policy \(path), " + (report.rule.map { "rule \($0)" } ?? "no rule")
            } ?? "no policy, so that intact bytes are required and nothing else"
        let head = "\(origin): \(report.passed ? "met" : "NOT MET")"
        guard explain else { return [head] }
        let rows = report.rows.map { row in
            [row.verdict.words, row.subject.rawValue, row.required ?? "–", row.saw]
        }
        return [head, Table.text(["VERDICT", "SUBJECT", "REQUIRES", "SAW"], rows)]
    }
}
