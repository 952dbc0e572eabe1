// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore
internal import ZooDrawing

extension AttachedEvidence {
    /// The state in one line: what was validated, by which version, when and where, and how the claims stand.
    ///
    /// The line says what is known about the signature of a validation.
    func line(_ record: ReleaseRecord, _ signing: EvidenceSigning) -> String {
        decisionText(record, signing) + unreadableText
    }

    private func decisionText(_ record: ReleaseRecord, _ signing: EvidenceSigning) -> String {
        let counts = ClaimCounts(claims(of: record))
        switch decision {
        case .validated(let evidence):
            return "validated \(evidence.created) by ami-zoo \(evidence.program)"
                + "\(evidence.machine.machineText): \(counts.text) (\(signing.text))"
        case .failed(_, let error):
            return "FAILED: \(error.message): \(counts.text) (\(signing.text))"
        case .unvalidated(let waiver):
            return "NOT VALIDATED: \(waiver.reason) (\(waiver.date)): \(counts.unmeasuredText)"
        case .invalid(let error): return "INVALID: \(error.message): \(counts.unmeasuredText)"
        case .absent: return "none: \(counts.unmeasuredText)"
        }
    }

    /// What cannot be read beside the decision, and may be newer; empty for nothing.
    private var unreadableText: String {
        guard let first = unreadable.first else { return "" }
        let count = Counted.text(unreadable.count, "other attachment")
        return "; \(count) CANNOT BE READ: \(first.message)"
    }

    /// The lines of `show` about the claims of a model.
    func lines(_ record: ReleaseRecord, _ signing: EvidenceSigning) -> [String] {
        let claims = claims(of: record)
        return ["", "  evidence    \(line(record, signing))"]
            + (claims.isEmpty ? [] : ["", "  evaluation"]) + claims.map(\.line)
    }

    /// The field `evidence` of `show`, `verify` and `validate`.
    func json(_ record: ReleaseRecord, _ signing: EvidenceSigning) -> JSONValue {
        var members: [String: JSONValue] =
            switch decision {
            case .validated(let evidence):
                [
                    "state": "validated", "created": .string(evidence.created.text),
                    "program": .string(evidence.program), "machine": evidence.machine,
                    "signed": .bool(signing.passed), "signature": signing.json,
                ]
            case .failed(let statement, let error):
                [
                    "state": "failed", "created": .string(statement.created.text),
                    "program": .string(statement.program), "machine": statement.machine,
                    "code": .string(error.code.rawValue), "reason": .string(error.message),
                    "signed": .bool(signing.passed), "signature": signing.json,
                ]
            case .unvalidated(let waiver):
                [
                    "state": "unvalidated", "created": .string(waiver.date.text),
                    "reason": .string(waiver.reason), "signed": false,
                ]
            case .invalid(let error):
                [
                    "state": "invalid", "code": .string(error.code.rawValue),
                    "reason": .string(error.message),
                ]
            case .absent: ["state": "none"]
            }
        let counts = ClaimCounts(claims(of: record))
        members["claims"] = .integer(counts.stated)
        members["reproduced"] = .integer(counts.reproduced)
        members["upstream"] = .integer(counts.upstream)
        members["unreadable"] = .array(
            unreadable.map { error in
                ["code": .string(error.code.rawValue), "reason": .string(error.message)]
            }
        )
        return .object(members)
    }
}

extension JSONValue {
    /// The machine of a report in words, after a space; empty when it states none of it.
    var machineText: String {
        guard let object = try? JSONObject(self) else { return "" }
        let kernels = (try? object.strings("kernels", maximum: 8)) ?? []
        let parts = [
            (try? object.optionalString("processor")).flatMap { $0 },
            kernels.isEmpty ? nil : "kernels \(kernels.joined(separator: ", "))",
            (try? object.optionalString("precision")).flatMap { $0 },
        ].compactMap(\.self)
        return parts.isEmpty ? "" : " on \(parts.joined(separator: ", "))"
    }
}

extension ClaimComparison {
    /// The line of a claim: the value, and how it was obtained.
    fileprivate var line: String {
        let origin =
            measured.map { "measured again as \(Float($0).fixed4)" }
            ?? (claim.status == .upstream ? outcome.words : "claimed, not measured again")
        return "    \(claim.metric): \(claim.value) \(claim.unit) "
            + "(\(claim.direction.rawValue) is better; \(origin); \(claim.dataset))"
    }
}

extension EvidenceSummary? {
    /// The cell of a table: the state, with the reason if there is one.
    ///
    /// - Parameter claims: how the claims stand; nil if it is unknown.
    /// - Returns: the text.
    func cell(_ claims: ClaimCounts?) -> String {
        var text = self?.state.rawValue ?? "no evidence"
        if let reason = self?.reason {
            let isLong = reason.count > Self.longest
            text += ": \(reason.prefix(Self.longest))\(isLong ? "…" : "")"
        }
        if let self, self.unreadable > 0 {
            text += " (\(Counted.text(self.unreadable, "attachment")) cannot be read)"
        }
        if let claims, claims.upstream > 0 {
            text += " (\(Counted.text(claims.upstream, "claim")) upstream, not measured again)"
        }
        return text
    }

    /// The characters of a reason in a table; `--json` shows all.
    private static var longest: Int { 60 }

    /// The fields of `list`, `search` and `versions`.
    var fields: [String: JSONValue] {
        [
            "evidence": self.map { .string($0.state.rawValue) } ?? .null,
            "evidenceReason": self?.reason.map { .string($0) } ?? .null,
            "evidenceUnreadable": self.map { .integer($0.unreadable) } ?? .null,
        ]
    }
}
