// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `verify` with a policy, as its users run it.
@Suite struct PolicyCommandTests {
    private static let embedded = "\(Program.root)registry/embedded"

    private func verdicts(_ run: ProgramRun) throws -> [String: String] {
        let policy = try run.document.object("policy")
        var verdicts: [String: String] = [:]
        for row in try policy.objects("rows", maximum: 20) {
            verdicts[try row.string("subject")] = try row.string("verdict")
        }
        return verdicts
    }

    private func pulled(_ zoo: Program, _ folder: TemporaryFolder) async throws -> String {
        let model = folder.path(of: "model")
        let pull = try await zoo(
            "pull",
            "ami/ball-drop",
            "--registry",
            Self.embedded,
            "--to",
            model
        )
        try #require(pull.status == 0, "\(pull.errors)")
        return model
    }

    private func write(_ rules: String, _ folder: TemporaryFolder) throws -> String {
        try folder.write(
            Array("format: ami-zoo.policy/1\n\(rules)\n".utf8),
            to: "policy.yaml"
        )
        return folder.path(of: "policy.yaml")
    }

    @Test func aPolicyIsMetOrTheStatusSaysSo() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await pulled(zoo, folder)
            let mild =
                "rules: [{namespace: ami, evidence: {passed: true}, licences: [Apache-2.0, MIT]}]"
            let met = try await zoo(
                "verify",
                model,
                "--policy",
                try write(mild, folder),
                "--json"
            )
            #expect(met.status == 0, "\(met.output)\(met.errors)")
            let seen = try verdicts(met)
            #expect(seen["evidence"] == "met" && seen["licence"] == "met")
            #expect(seen["log"] == "not-required" && seen["integrity"] == "met")

            for (rules, subject, verdict) in [
                ("rules: [{licences: [MIT]}]", "licence", "unmet"),
                ("rules: [{logged: true}]", "log", "not-checked"),
                ("rules: [{current: true}]", "currency", "not-checked"),
                ("rules: [{anchor: [registry, tuf]}]", "anchor", "unmet"),
                ("rules: [{registry: 'https://a.example'}]", "registry", "not-checked"),
                ("rules: [{namespace: other}]", "rule", "unmet"),
                (
                    "signers: {lab: {keys: ['\(String(repeating: "a", count: 64))']}}\n"
                        + "rules: [{evidence: {passed: true, signatures: {signers: [lab]}}}]",
                    "evidence-signatures", "not-checked"
                ),
            ] {
                let path = try write(rules, folder)
                let run = try await zoo("verify", model, "--policy", path, "--json")
                #expect(run.status == 1, "\(rules): \(run.output)\(run.errors)")
                #expect(try verdicts(run)[subject] == verdict, "\(rules): \(run.output)")
                #expect(try run.text("status") == "failed")
                let findings = try run.document.objects("findings", maximum: 20)
                #expect(try findings.map { try $0.string("code") } == ["policy.unmet"])
                let text = try await zoo("verify", model, "--policy", path, "--explain")
                #expect(text.status == 1 && text.output.contains("NOT MET"))
                #expect(text.output.contains("VERDICT") && text.output.contains(subject))
            }
            // The registry that the user names is where the release comes from.
            let path = try write(
                "rules: [{registry: 'file:\(Self.embedded)', anchor: [registry]}]",
                folder
            )
            let anchored = try await zoo(
                "verify",
                model,
                "--policy",
                path,
                "--registry",
                Self.embedded
            )
            #expect(anchored.status == 0, "\(anchored.output)")
        }
    }

    /// A policy of the user counts without an option, and one that cannot be read is no permission.
    @Test func theUsualPolicyIsApplied() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await pulled(zoo, folder)
            let plain = try await zoo("verify", model, "--json")
            #expect(plain.status == 0)
            #expect(try plain.document.value("policy") == nil)
            let explained = try await zoo("verify", model, "--explain")
            #expect(explained.status == 0 && explained.output.contains("no policy"))

            let usual = "store-config/ami-zoo/policy.yaml"
            try folder.write(
                Array("format: ami-zoo.policy/1\nrules: [{licences: [Zlib]}]\n".utf8),
                to: usual
            )
            let refused = try await zoo("verify", model)
            #expect(refused.status == 1 && refused.output.contains("policy.unmet"))
            for text in ["", "rules: [", "format: ami-zoo.policy/1\nrules: [{licenses: [MIT]}]"] {
                try folder.write(Array(text.utf8), to: usual)
                let run = try await zoo("verify", model)
                #expect(run.status == 65, "\(run.output)\(run.errors)")
                #expect(run.errors.contains("policy.invalid"))
            }
            let missing = try await zoo("verify", model, "--policy", folder.path(of: "none"))
            #expect(missing.status == 66 || missing.status == 74, "\(missing.status)")
        }
    }

    /// The example is a policy, and refuses what its first rule is about.
    @Test func theDocumentedExampleIsAPolicy() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await pulled(zoo, folder)
            let page = try String(
                contentsOfFile: "\(Program.root)docs/commands.md",
                encoding: .utf8
            )
            let example = page.components(separatedBy: "## Policy")[1]
                .components(separatedBy: "```")[1].dropFirst("yaml\n".count)
                .replacing("<key>", with: String(repeating: "a", count: 64))
            try folder.write(Array(example.utf8), to: "example.yaml")
            let run = try await zoo(
                "verify",
                model,
                "--policy",
                folder.path(of: "example.yaml"),
                "--json"
            )
            #expect(run.status == 1, "\(run.output)\(run.errors)")
            let found = try verdicts(run)
            #expect(found["registry"] == "not-checked" && found["evidence"] == "met")
            let other = try await zoo(
                "verify",
                model,
                "--policy",
                folder.path(of: "example.yaml"),
                "--registry",
                Self.embedded,
                "--json"
            )
            #expect(other.status == 0, "\(other.output)")
            #expect(try other.document.object("policy").integer("rule", in: 1...9) == 2)
        }
    }

    @Test func signersAreFoundAmongTheKeysOfTheUser() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await pulled(zoo, folder)
            var hints: [String: String] = [:]
            for name in ["lab", "other"] {
                #expect(try await zoo("keys", "new", name).status == 0)
                hints[name] = try await zoo("keys", "export", name, "--json").text("key")
            }
            func policy(_ name: String) throws -> String {
                try write(
                    "signers: {maker: {keys: ['\(hints[name] ?? "")']}}\n"
                        + "rules: [{signatures: {signers: [maker]}}]",
                    folder
                )
            }
            let unsigned = try await zoo("verify", model, "--policy", try policy("lab"), "--json")
            #expect(unsigned.status == 1)
            #expect(try verdicts(unsigned)["signatures"] == "not-checked")
            #expect(try await zoo("sign", model, "--key", "lab").status == 0)
            let signed = try await zoo("verify", model, "--policy", try policy("lab"), "--json")
            #expect(signed.status == 0, "\(signed.output)\(signed.errors)")
            #expect(try verdicts(signed)["signatures"] == "met")
            let other = try await zoo("verify", model, "--policy", try policy("other"), "--json")
            #expect(other.status == 1)
            #expect(try verdicts(other)["signatures"] == "not-checked")
            // With the key that signed, it is known to be another signer.
            let known = try await zoo(
                "verify",
                model,
                "--policy",
                try policy("other"),
                "--key",
                "lab",
                "--json"
            )
            #expect(known.status == 1)
            #expect(try verdicts(known)["signatures"] == "unmet")
            #expect(try await zoo("keys", "revoke", "lab").status == 0)
            let revoked = try await zoo("verify", model, "--policy", try policy("lab"), "--json")
            #expect(revoked.status == 1)
        }
    }

    @Test func aPageIsWrittenWhateverTheVerdict() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await pulled(zoo, folder)
            for (rules, word) in [("rules: [{}]", "passed"), ("rules: [{logged: true}]", "failed")]
            {
                let path = folder.path(of: "page.html")
                let run = try await zoo(
                    "verify",
                    model,
                    "--policy",
                    try write(rules, folder),
                    "--html",
                    path
                )
                #expect(run.status == (word == "passed" ? 0 : 1))
                let page = String(decoding: try folder.read("page.html"), as: UTF8.self)
                #expect(page.contains("class=\"verdict \(word)\""))
                #expect(page.contains("ami/ball-drop") && page.contains("model.safetensors"))
                #expect(page.contains("reproduced"))
            }
            // An archive has no policy to meet.
            let archive = try await zoo("verify", folder.path(of: "page.html"), "--explain")
            #expect(archive.status == 64)
        }
    }
}
