// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Signed evidence: `validate --key`, `publish`, `verify --key`, and what is said when nothing was checked.
@Suite struct SignedEvidenceTests {
    private func evidence(_ run: ProgramRun) throws -> JSONObject {
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        return try run.document.object("evidence")
    }

    @Test func evidenceIsSignedAndVerified() async throws {
        try await TemporaryFolder.with { folder in
            let candidate = try await ValidationCandidate(in: folder)
            let (zoo, registry) = (candidate.zoo, candidate.sample.registry)
            for key in ["lab", "other"] {
                #expect(try await zoo("keys", "new", key).status == 0)
            }
            let validated = try await candidate.validate(["--key", "lab"])
            #expect(validated.status == 0, "\(validated.output)\(validated.errors)")
            let key = try validated.document.string("key")
            let published = try await candidate.publish(["--sign", "lab"])
            #expect(published.status == 0, "\(published.output)\(published.errors)")

            let shown = try evidence(
                try await zoo("show", "test/candidate", "--registry", registry, "--json")
            )
            #expect(shown.value("signed") == .bool(false))
            #expect(try shown.object("signature").string("status") == "unchecked")
            #expect(try shown.object("signature").string("key") == key)
            let path = folder.path(of: "pulled")
            let pull = try await zoo("pull", "test/candidate", "--registry", registry, "--to", path)
            #expect(pull.status == 0, "\(pull.errors)")
            let text = try await zoo("verify", path)
            #expect(text.output.contains("(signed by the key \(key.prefix(12)), not checked)"))
            let signed = try await zoo("verify", path, "--key", "lab")
            #expect(signed.output.contains("claims (signed with the key \(key.prefix(12)))"))
            let proven = try evidence(try await zoo("verify", path, "--key", "lab", "--json"))
            #expect(proven.value("signed") == .bool(true))
            #expect(try proven.object("signature").string("status") == "passed")

            // Another key proves nothing, and unsigned evidence says so.
            let other = try await zoo("verify", path, "--key", "other", "--json")
            #expect(other.status == 1)
            let refused = try other.document.object("evidence")
            #expect(refused.value("signed") == .bool(false))
            #expect(try refused.object("signature").string("code") == "signature.invalid")
            #expect(try await candidate.validate().status == 0)
            #expect(try await candidate.publish().status == 0)
            let unsigned = try evidence(
                try await zoo("show", "test/candidate", "--registry", registry, "--json")
            )
            #expect(try unsigned.string("state") == "validated")
            #expect(unsigned.value("signature") == .null)
        }
    }
}
