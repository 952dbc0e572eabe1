// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Claims about data that only users hold: measured when the data are given, and never called reproduced otherwise.
@Suite struct HeldClaimTests {
    /// A model folder with a claim on held data beside those of the candidate.
    private struct Claimed {
        let candidate: ValidationCandidate
        let digests: [String: String]
        let value: Double

        init(in folder: TemporaryFolder) async throws {
            candidate = try await ValidationCandidate(in: folder)
            let file = try folder.write(
                HeldPictures.suite(data: "held-pictures").canonicalBytes,
                to: "pictures.json"
            )
            let run = try await candidate.zoo(
                "evaluate",
                candidate.source,
                "--json",
                "--suite",
                file,
                "--data",
                "held-pictures=\(HeldPictures.images)"
            )
            try #require(run.status == 0, "\(run.output)\(run.errors)")
            let report = try run.document.objects("reports", maximum: 1)[0]
            value = try report.objects("metrics", maximum: 1)[0].number("value")
            var digests: [String: String] = [:]
            for split in try report.object("data").objects("digests", maximum: 2) {
                digests[try split.string("split")] = try split.string("digest")
            }
            self.digests = digests
        }

        /// Writes the suite, and the claim about it.
        func write(
            suite digests: [String: String]? = nil,
            dataset: String = "held-pictures",
            datasetDigest: String? = nil,
            value: Double? = nil
        ) throws {
            let suite = HeldPictures.suite(
                data: "held-pictures",
                digests: digests ?? self.digests
            )
            try candidate.folder.write(suite.canonicalBytes, to: "model/suites/pictures.json")
            let claim = """
                  - suite: pictures
                    suiteDigest: "\(ContentDigest(of: suite.canonicalBytes))"
                    dataset: \(dataset)
                    datasetDigest: "\(datasetDigest ?? self.digests["val"] ?? "")"
                    metric: "accuracy, 5 neighbours"
                    unit: fraction
                    direction: higher
                    value: \(value ?? self.value)
                    tolerance: 0.001
                    status: measured
                    source: ami-zoo evaluate

                """
            try candidate.describe { $0 + claim }
        }
    }

    private static let given = ["--data", "held-pictures=\(HeldPictures.images)"]

    private func outcomes(_ run: ProgramRun) throws -> [String] {
        try run.document.objects("claims", maximum: 9).map { claim throws in
            try claim.string("outcome")
        }
    }

    private func codes(_ run: ProgramRun) throws -> Set<String> {
        var codes: Set<String> = []
        for check in try run.document.objects("checks", maximum: 10) {
            for finding in try check.objects("findings", maximum: 1000) {
                codes.insert(try finding.string("code"))
            }
        }
        return codes
    }

    @Test func aClaimIsMeasuredOnlyWithItsData() async throws {
        try await TemporaryFolder.with { folder in
            let claimed = try await Claimed(in: folder)
            let candidate = claimed.candidate
            try claimed.write()

            let without = try await candidate.validate()
            #expect(without.status == 0, "\(without.output)\(without.errors)")
            #expect(try outcomes(without) == ["reproduced", "reproduced", "data-not-given"])
            #expect(try without.integer("reproduced") == 2)
            #expect(try codes(without) == ["validation.claim-data-missing"])
            let text = try await ProgramRun(
                Program.executable,
                ["validate", candidate.source, "--registry", candidate.sample.registry],
                environment: candidate.zoo.environment
            )
            #expect(
                text.output.contains("reproduced 2 of 3 claims, 1 not measured: data not given")
            )
            #expect(text.output.contains("pictures (--data held-pictures=PATH)"))
            // What was not measured is no evidence.
            let early = try await candidate.publish()
            #expect(early.errorCode == "evidence.not-passed", "\(early.output)")
            #expect(early.output.contains("--data NAME=PATH"))

            let with = try await candidate.validate(Self.given)
            #expect(with.status == 0, "\(with.output)\(with.errors)")
            #expect(try outcomes(with) == ["reproduced", "reproduced", "reproduced"])
            #expect(try with.integer("reproduced") == 3)
            let published = try await candidate.publish()
            #expect(published.status == 0, "\(published.output)\(published.errors)")
        }
    }

    @Test func aWrongClaimAndOtherDataFail() async throws {
        try await TemporaryFolder.with { folder in
            let claimed = try await Claimed(in: folder)
            let candidate = claimed.candidate
            try claimed.write(value: claimed.value + 0.0625)
            let raised = try await candidate.validate(Self.given)
            #expect(raised.status == 1)
            #expect(try codes(raised) == ["validation.claim-not-reproduced"])
            #expect(try outcomes(raised).last == "worse")

            try claimed.write()
            let copy = folder.path(of: "images")
            try FileManager.default.copyItem(atPath: HeldPictures.images, toPath: copy)
            let file = URL(filePath: "\(copy)/train/Zebra/7.png")
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
            let other = try await candidate.validate(["--data", "held-pictures=\(copy)"])
            #expect(other.status == 1)
            #expect(try codes(other).contains("evaluation.data-differs"))
            #expect(try outcomes(other).last == "not-measured")
        }
    }

    /// A claim must name its data, and its suite every byte of them; shards leave out what is not given.
    @Test func claimsOnHeldDataHaveAForm() async throws {
        try await TemporaryFolder.with { folder in
            let claimed = try await Claimed(in: folder)
            let candidate = claimed.candidate
            let (train, val) = (claimed.digests["train"] ?? "", claimed.digests["val"] ?? "")
            let forms: [(suite: [String: String]?, dataset: String, digest: String)] = [
                ([:], "held-pictures", val), (["val": val], "held-pictures", val),
                (["train": train], "held-pictures", val), (nil, "other-pictures", val),
                (nil, "held-pictures", train),
            ]
            for form in forms {
                try claimed.write(
                    suite: form.suite,
                    dataset: form.dataset,
                    datasetDigest: form.digest
                )
                let run = try await candidate.validate(Self.given)
                #expect(run.status == 1)
                #expect(try codes(run).contains("validation.claim-unfounded"), "\(run.output)")
            }
            try claimed.write()
            let part = try await candidate.validate(["--shard", "1/1"])
            #expect(part.status == 0)
            #expect(part.output.contains("golden, trajectory"), "\(part.output)")
            #expect(!part.output.contains("pictures"))
        }
    }
}
