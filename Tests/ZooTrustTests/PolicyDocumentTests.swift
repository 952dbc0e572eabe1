// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTrust

/// What a policy may say: whatever is not understood is refused, because a requirement would be lost with it.
@Suite struct PolicyDocumentTests {
    private func refusal(_ document: JSONValue) -> ZooError? {
        do throws(ZooError) {
            _ = try TrustPolicy(try JSONObject(document), path: "policy.yaml")
            return nil
        } catch {
            return error
        }
    }

    private func rule(_ members: [String: JSONValue]) -> JSONValue {
        PolicySample.document(members)
    }

    /// A document with one member under another name, at each place of the document in turn.
    private func renamed(_ value: JSONValue) -> [JSONValue] {
        var results: [JSONValue] = []
        switch value {
        case .object(let members):
            for (name, member) in members {
                var other = members
                other[name] = nil
                other[name + "x"] = member
                results.append(.object(other))
                for changed in renamed(member) {
                    var other = members
                    other[name] = changed
                    results.append(.object(other))
                }
            }
        case .array(let elements):
            for index in elements.indices {
                for changed in renamed(elements[index]) {
                    var other = elements
                    other[index] = changed
                    results.append(.array(other))
                }
            }
        default: break
        }
        return results
    }

    @Test func noTypingErrorIsIgnored() throws {
        let document = PolicySample.document()
        #expect(refusal(document) == nil)
        let changed = renamed(document)
        #expect(changed.count > 20)
        for document in changed {
            #expect(refusal(document)?.code == .policyInvalid, "\(document)")
        }
    }

    @Test func whatRequiresNothingOrTheImpossibleIsRefused() {
        let key = JSONValue.string(PolicySample.lab)
        for (document, part) in [
            (rule(["current": false]), "leave it out"), (rule(["logged": "yes"]), "logged"),
            (rule(["evidence": [:]]), "passed: true"),
            (rule(["evidence": ["passed": false]]), "leave it out"),
            (rule(["anchor": []]), "is empty"), (rule(["anchor": ["hope"]]), "hope"),
            (rule(["licences": []]), "is empty"), (rule(["licences": ["MIT OR Zlib"]]), "alone"),
            (rule(["licences": ["my own"]]), "SPDX"),
            (rule(["signatures": ["signers": []]]), "is empty"),
            (rule(["signatures": ["signers": ["lab", "lab"]]]), "twice"),
            (rule(["signatures": ["signers": ["nobody"]]]), "nobody"),
            (rule(["signatures": ["signers": ["lab"], "threshold": 2]]), "threshold"),
            (rule(["signatures": ["signers": ["lab"], "threshold": 0]]), "threshold"),
            (rule(["maximumAgeDays": 0]), "maximumAgeDays"),
            (rule(["namespace": "ami", "name": "ami/x"]), "one of them"),
            (rule(["namespace": "ami/x"]), "not a namespace"), (rule(["name": "ami"]), "name"),
            (["format": "ami-zoo.policy/1", "rules": []], "is empty"),
            (["format": "ami-zoo.policy/1"], "rules"), (["rules": [[:]]], "format"),
            (["format": "ami-zoo.policy/2", "rules": [[:]]], "policy/2"),
            (
                [
                    "format": "ami-zoo.policy/1", "rules": [[:]],
                    "signers": ["a": ["keys": [key]], "b": ["keys": [key]]],
                ], "of 'a'"
            ),
            (["format": "ami-zoo.policy/1", "rules": [[:]], "signers": ["a": [:]]], "neither"),
            (
                ["format": "ami-zoo.policy/1", "rules": [[:]], "signers": ["a": ["keys": ["ab"]]]],
                "64 hexadecimal"
            ),
        ] as [(JSONValue, String)] {
            let error = refusal(document)
            #expect(error?.code == .policyInvalid, "\(document)")
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "accepted")")
        }
    }
}
