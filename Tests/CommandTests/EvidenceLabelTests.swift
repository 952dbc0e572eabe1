// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// What commands and registries say about releases that nobody validated, and about claims of other labs.
@Suite struct EvidenceLabelTests {
    @Test func aReasonIsShownWhereEvidenceIsMissing() async throws {
        try await TemporaryFolder.with { folder in
            let candidate = try await ValidationCandidate(in: folder)
            let (zoo, registry) = (candidate.zoo, candidate.sample.registry)
            #expect(try await candidate.publish(["--unvalidated", ""]).status != 0)
            let run = try await candidate.publish(["--unvalidated", "the data set was lost"])
            #expect(run.status == 0, "\(run.output)")
            let shown = try await zoo("show", "test/candidate", "--registry", registry)
            #expect(shown.output.contains("NOT VALIDATED: the data set was lost"))
            #expect(shown.output.contains("claimed, not measured again"))
            let list = try await zoo("list", "--registry", registry)
            #expect(list.output.contains("unvalidated"))
            #expect(try await zoo("pull", "test/candidate", "--registry", registry).status == 0)
            for arguments in [
                ["verify", "test/candidate"], ["show", "test/candidate", "--offline"],
            ] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                #expect(run.output.contains("NOT VALIDATED: the data set was lost"))
            }
            let other = try await zoo("pack", candidate.source, "--output", registry)
            // The same release again: what is attached in the registry permits it.
            #expect(other.status == 0, "\(other.errors)")
        }
    }

    /// The claim of another lab is nowhere taken for a measurement, and every kind of registry says the same.
    @Test func claimsOfAnotherLabAreLabelledEverywhere() async throws {
        try await TemporaryFolder.with { folder in
            let candidate = try await ValidationCandidate(in: folder)
            let (zoo, registry) = (candidate.zoo, candidate.sample.registry)
            let label = "claimed upstream, not measured again"
            let counts = "reproduced 2 of 3 claims, 1 claimed upstream and not measured again"
            try candidate.describe {
                $0 + """
                      - suite: somewhere
                        dataset: somewhere
                        metric: accuracy
                        unit: "%"
                        direction: higher
                        value: 80
                        status: upstream
                        source: https://example.org/paper

                    """
            }
            let report = folder.path(of: "report")
            let validated = try await candidate.validate(["--report", report])
            #expect(validated.status == 0, "\(validated.output)")
            let page = String(decoding: try folder.read("report/report.html"), as: UTF8.self)
            #expect(page.contains(label))
            #expect(page.contains(counts))
            let claims = try validated.document.objects("claims", maximum: 9)
            #expect(try claims.map { try $0.string("outcome") }.last == "upstream")
            #expect(try await candidate.publish(["--evidence", report]).status == 0)
            #expect(try await zoo("pull", "test/candidate", "--registry", registry).status == 0)
            for arguments in [
                ["show", "test/candidate", "--registry", registry],
                ["show", "test/candidate", "--offline"], ["verify", "test/candidate"],
                ["validate", "test/candidate", "--registry", registry],
            ] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                #expect(run.output.contains(counts), "\(run.output)")
                #expect(run.output.contains(label) == (arguments[0] != "verify"))
                let fields = try await ProgramRun(
                    Program.executable,
                    arguments + ["--json"],
                    environment: zoo.environment
                )
                let evidence = try fields.document.object("evidence")
                #expect(try evidence.integer("upstream", in: 0...9) == 1)
            }
            func rows(_ place: String) async throws -> [JSONValue] {
                let list = try await zoo("list", "--registry", place, "--json").document
                let search = try await zoo("search", "ball", "--registry", place, "--json").document
                let versions = try await zoo(
                    "versions",
                    "test/candidate",
                    "--registry",
                    place,
                    "--json"
                ).document
                let row = try list.objects("models", maximum: 9)[0]
                let found = try search.objects("models", maximum: 9)[0]
                let version = try versions.objects("versions", maximum: 9)[0]
                #expect(row.value("claims") == ["stated": 3, "reproduced": 2, "upstream": 1])
                #expect(found.value("claims") == row.value("claims"))
                return [row, found, version].flatMap { object in
                    ["evidence", "evidenceReason"].map { object.value($0) ?? "missing" }
                }
            }
            let text = try await zoo("list", "--registry", registry)
            #expect(
                text.output.contains("validated (1 claim upstream, not measured again)"),
                "\(text.output)"
            )
            let expected: [JSONValue] = Array(repeating: ["validated", .null], count: 3).flatMap(
                \.self
            )
            #expect(try await rows(registry) == expected)
            try await NginxServer.with(folder: registry) { server in
                let found = try await rows(server.url(""))
                #expect(found == expected)
            }
            try await Serving.with(registry, zoo, folder) { url in
                let found = try await rows(url)
                #expect(found == expected)
            }
        }
    }
}
