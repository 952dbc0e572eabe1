// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore
internal import ZooDrawing

extension AttachedEvidence {
    /// The lines of `show` about the claims of a model.
    func lines(_ record: ReleaseRecord) -> [String] {
        let measured: [ClaimComparison]
        let state: String
        switch self {
        case .validated(let evidence):
            measured = evidence.claims
            state =
                "validated \(evidence.created): "
                + "\(evidence.reproduced) of \(evidence.claims.count) claims reproduced"
        case .unvalidated(let waiver):
            measured = record.evaluation.map { ClaimComparison($0, measured: nil) }
            state = "NOT VALIDATED: \(waiver.reason) (\(waiver.date))"
        case .invalid(let error):
            measured = record.evaluation.map { ClaimComparison($0, measured: nil) }
            state = "INVALID: \(error.message)"
        case .none:
            measured = record.evaluation.map { ClaimComparison($0, measured: nil) }
            state = "none: claims of the publisher, not reproduced"
        }
        return ["", "  evidence    \(state)"]
            + (measured.isEmpty ? [] : ["", "  evaluation"]) + measured.map(\.line)
    }

    /// The field `evidence` of `show`.
    var json: JSONValue {
        switch self {
        case .validated(let evidence):
            [
                "state": "validated", "created": .string(evidence.created.text),
                "claims": .integer(evidence.claims.count),
                "reproduced": .integer(evidence.reproduced), "machine": evidence.machine,
            ]
        case .unvalidated(let waiver):
            [
                "state": "unvalidated", "created": .string(waiver.date.text),
                "reason": .string(waiver.reason),
            ]
        case .invalid(let error):
            [
                "state": "invalid", "code": .string(error.code.rawValue),
                "reason": .string(error.message),
            ]
        case .none: ["state": "none"]
        }
    }
}

extension ClaimComparison {
    /// The line of a claim: the value, and how it was obtained.
    fileprivate var line: String {
        let origin =
            measured.map { "measured again as \(Float($0).fixed4)" }
            ?? (claim.status == .upstream
                ? "claimed upstream, not measured again" : "claimed, not measured again")
        return "    \(claim.metric): \(claim.value) \(claim.unit) "
            + "(\(claim.direction.rawValue) is better; \(origin); \(claim.dataset))"
    }
}
