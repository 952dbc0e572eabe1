// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing

@testable import ZooCore

/// Evidence passes only for the release that it is about, only unchanged, and only if the numbers bear it out.
@Suite struct EvidenceTests {
    /// A record of `ami/ball-drop` with one claim, and evidence about it.
    private struct Sample {
        let record: ReleaseRecord
        let digest = ContentDigest(of: [1])
        let suite = ContentDigest(of: [2])
        let data = ContentDigest(of: [3])

        init(direction: String = "lower", status: String = "measured") throws {
            let url = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../Vectors/releases").standardized
            let index = try IndexDocument(
                canonical: Array(
                    try Data(contentsOf: url.appending(path: "index/ami/ball-drop.json"))
                )
            )
            let entry = try #require(index.entries.last)
            func blob(_ digest: ContentDigest) throws -> [UInt8] {
                Array(try Data(contentsOf: url.appending(path: "blobs/sha256/\(digest.hex)")))
            }
            let manifest = try ReleaseManifest(canonical: try blob(entry.digest))
            var document = try JSONObject(
                JSONValue(parsing: try blob(manifest.record.digest))
            ).members
            document["evaluation"] = [
                [
                    "suite": "trajectory", "suiteDigest": .string(suite.description),
                    "dataset": "test/clips:1.0.0", "datasetDigest": .string(data.description),
                    "metric": "error", "unit": "px", "direction": .string(direction),
                    "value": 1, "tolerance": .number(0.1), "status": .string(status),
                    "source": "here",
                ]
            ]
            record = try ReleaseRecord(canonical: JSONValue.object(document).canonicalBytes)
        }

        func evaluation(_ value: Double, limit: Double? = nil) -> JSONValue {
            var metric: [String: JSONValue] = [
                "name": "error", "unit": "px",
                "direction": .string(record.evaluation[0].direction.rawValue),
                "value": .number(value), "samples": 8,
            ]
            if let limit { metric["limit"] = ["value": .number(limit), "reason": "rounding"] }
            return [
                "format": "ami-zoo.evaluation/1", "model": .string(digest.description),
                "name": "trajectory", "suite": "trajectory", "suiteVersion": 1,
                "suiteDigest": .string(suite.description),
                "data": [
                    "kind": "dataset", "name": "test/clips", "version": "1.0.0",
                    "digest": .string(data.description), "split": "clips",
                ],
                "metrics": [.object(metric)], "kernels": ["avx2"], "precision": "f32",
            ]
        }

        func report(
            _ value: Double,
            limit: Double? = nil,
            checks: [ValidationReport.Check] = [.init(.integrity, "every byte", [])]
        ) throws -> ValidationReport {
            let evaluations = [evaluation(value, limit: limit)]
            return ValidationReport(
                of: record,
                digest,
                created: Timestamp(secondsSince1970: 0),
                program: "0",
                machine: ["processor": "p"],
                checks: checks,
                evaluations: evaluations,
                claims: try ValidationEvidence.compare(
                    record.evaluation,
                    with: try evaluations.map { try JSONObject($0) }
                )
            )
        }

        func check(_ report: ValidationReport) throws -> ValidationEvidence {
            try ValidationEvidence(
                statement: EvidenceStatement.testResult(of: report),
                report: report.json.canonicalBytes,
                of: record,
                digest
            )
        }
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as ZooError {
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }

    @Test(
        arguments: [
            (0.9, "lower", nil), (1.0999, "lower", nil), (1.1001, "lower", "evidence.not-passed"),
            (0.5, "lower", nil), (0.9, "higher", nil), (0.8999, "higher", "evidence.not-passed"),
            (2, "higher", nil),
        ] as [(Double, String, String?)]
    )
    func aClaimHoldsWithinItsTolerance(value: Double, direction: String, expected: String?) throws {
        let sample = try Sample(direction: direction)
        let report = try sample.report(value)
        #expect(code { _ = try sample.check(report) } == expected)
    }

    @Test func evidenceStatesWhatWasMeasured() throws {
        let sample = try Sample()
        let evidence = try sample.check(try sample.report(1.05))
        #expect(evidence.reproduced == 1)
        #expect(evidence.claims[0].measured == 1.05)
        let upstream = try Sample(status: "upstream")
        let report = ValidationReport(
            of: upstream.record,
            upstream.digest,
            created: Timestamp(secondsSince1970: 0),
            program: "0",
            machine: [:],
            checks: [.init(.integrity, "every byte", [])],
            evaluations: [],
            claims: []
        )
        let labelled = try upstream.check(report)
        #expect(labelled.claims[0].outcome == .upstream)
        #expect(labelled.reproduced == 0)
    }

    /// The report says that it passed; its numbers or its checks do not.
    @Test func aResultIsNotBelieved() throws {
        let sample = try Sample()
        let bad = try sample.report(3)
        // No check failed, so that the result is 'passed'.
        #expect(bad.passed)
        #expect(code { _ = try sample.check(bad) } == "evidence.not-passed")
        let bound = try sample.report(1, limit: 0.5)
        #expect(code { _ = try sample.check(bound) } == "evidence.not-passed")
        let fault = Finding(.fieldInvalid, path: "", message: "")
        for checks in [
            [.init(.integrity, "", []), .init(.rules, "", [fault])],
            // Nobody looked at the files.
            [], [.init(.rules, "", []), .init(.claims, "", [])],
        ] as [[ValidationReport.Check]] {
            let report = try sample.report(1, checks: checks)
            #expect(code { _ = try sample.check(report) } == "evidence.not-passed")
        }
    }

    /// A validation that failed measured its claims all the same.
    @Test func claimsOfAFailedValidationAreCounted() throws {
        let sample = try Sample()
        for (value, limit, reproduced) in [(1, 0.5, 1), (3, nil, 0)] as [(Double, Double?, Int)] {
            let report = try sample.report(value, limit: limit)
            let statement = try ValidationStatement(
                statement: EvidenceStatement.testResult(of: report),
                report: report.json.canonicalBytes,
                of: sample.record,
                sample.digest
            )
            let failure = try #require(statement.failure)
            #expect(failure.code == .evidenceNotPassed)
            let evidence = AttachedEvidence(.failed(statement, failure), unreadable: [])
            #expect(evidence.claims(of: sample.record)[0].measured == value)
            let summary = try #require(EvidenceSummary(of: evidence, sample.record))
            #expect(summary.state == .failed)
            #expect(summary.claims?.stated == 1 && summary.claims?.reproduced == reproduced)
        }
    }

    @Test func evidenceOfAnotherReleaseIsRefused() throws {
        let sample = try Sample()
        let report = try sample.report(1)
        let (statement, bytes) = (
            EvidenceStatement.testResult(of: report), report.json.canonicalBytes
        )
        #expect(
            code {
                _ = try ValidationEvidence(
                    statement: statement,
                    report: bytes,
                    of: sample.record,
                    ContentDigest(of: [9])
                )
            } == "evidence.other-release"
        )
        // A statement that is about this release, with the report of another one.
        var members = try JSONObject(report.json).members
        members["model"] = [
            "name": "ami/ball-drop", "version": "1.1.0",
            "digest": .string(ContentDigest(of: [9]).description),
        ]
        let other = JSONValue.object(members).canonicalBytes
        let forged = String(decoding: statement, as: UTF8.self).replacing(
            ContentDigest(of: bytes).hex,
            with: ContentDigest(of: other).hex
        )
        #expect(
            code {
                _ = try ValidationEvidence(
                    statement: Array(forged.utf8),
                    report: other,
                    of: sample.record,
                    sample.digest
                )
            } == "evidence.other-release"
        )
    }

    /// Every byte of the report counts, and so does every digest in the statement.
    @Test func changedDocumentsAreRefused() throws {
        let sample = try Sample()
        let report = try sample.report(1)
        let (statement, bytes) = (
            EvidenceStatement.testResult(of: report), report.json.canonicalBytes
        )
        func refused(_ statement: [UInt8], _ report: [UInt8]) -> Bool {
            code {
                _ = try ValidationEvidence(
                    statement: statement,
                    report: report,
                    of: sample.record,
                    sample.digest
                )
            } != nil
        }
        #expect(!refused(statement, bytes))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(refused(statement, changed), "byte \(index)")
        }
        #expect(refused(statement, Array(bytes.dropLast())))
        #expect(refused(statement, bytes + [0x20]))
        for text in [sample.digest.hex, ContentDigest(of: bytes).hex, "PASSED", "test-result"] {
            let replacement = text == "PASSED" ? "FAILED" : String(text.reversed())
            let changed = String(decoding: statement, as: UTF8.self).replacing(
                text,
                with: replacement
            )
            #expect(refused(Array(changed.utf8), bytes), "\(text)")
        }
    }

    @Test func anotherSuiteOrDataSetMeasuresNothing() throws {
        let sample = try Sample()
        for (digest, replacement) in [(sample.suite, 7), (sample.data, 8)]
            as [(ContentDigest, UInt8)]
        {
            let text = String(decoding: sample.evaluation(1).canonicalBytes, as: UTF8.self)
                .replacing(digest.hex, with: ContentDigest(of: [replacement]).hex)
            let object = try JSONObject(JSONValue(parsing: Array(text.utf8)))
            let compared = try ValidationEvidence.compare(sample.record.evaluation, with: [object])
            #expect(compared[0].outcome == .notMeasured)
        }
    }

    /// A suite that did not run because its data were not given is told apart, and reproduces nothing.
    @Test func aClaimWithoutItsDataIsNotReproduced() throws {
        let sample = try Sample()
        let claims = sample.record.evaluation
        func outcomes(_ evaluations: [JSONValue], _ absent: Set<ContentDigest>) throws
            -> [ClaimComparison]
        {
            try ValidationEvidence.compare(
                claims,
                with: evaluations.map { value throws in try JSONObject(value) },
                withoutData: absent
            )
        }
        let absent = try outcomes([], [sample.suite])
        #expect(absent[0].outcome == .dataNotGiven)
        #expect(!absent[0].isAcceptable)
        #expect(ClaimCounts(absent).reproduced == 0)
        #expect(ClaimCounts(absent).text.contains("not measured: data not given"))
        #expect(try outcomes([], [ContentDigest(of: [9])])[0].outcome == .notMeasured)
        // A measurement counts whatever is said about it.
        let measured = try outcomes([sample.evaluation(1)], [sample.suite])
        #expect(measured[0].measured != nil)
    }

    /// A measurement with a probe that was published apart from the release is not one of the release.
    @Test func aMeasurementWithAnotherProbeIsNoEvidence() throws {
        let sample = try Sample()
        guard case .object(var members) = sample.evaluation(1) else { throw CancellationError() }
        members["probe"] = .string(ContentDigest(of: [1]).description)
        let object = try JSONObject(.object(members))
        let compared = try ValidationEvidence.compare(sample.record.evaluation, with: [object])
        #expect(compared[0].outcome == .notMeasured)
    }

    @Test func aWaiverKeepsItsReason() throws {
        let waiver = try ValidationWaiver(
            reason: "no data left",
            date: Timestamp(secondsSince1970: 0)
        )
        let digest = ContentDigest(of: [1])
        let statement = waiver.statement(about: "a/b:1.0.0", digest)
        #expect(try ValidationWaiver(statement: statement, about: digest) == waiver)
        #expect(
            code { _ = try ValidationWaiver(statement: statement, about: ContentDigest(of: [2])) }
                == "evidence.other-release"
        )
        for reason in ["", "two\nlines", String(repeating: "x", count: 1001)] {
            #expect(
                code {
                    _ = try ValidationWaiver(reason: reason, date: Timestamp(secondsSince1970: 0))
                } == "format.field-invalid"
            )
        }
    }

    /// The manifest of an attachment is one that any registry takes, and names its subject.
    @Test func anAttachmentNamesItsSubject() throws {
        let sample = try Sample()
        let subject = Descriptor(
            mediaType: ReleaseManifest.MediaType.manifest,
            digest: sample.digest,
            size: 5
        )
        let draft = AttachmentDraft(try sample.check(try sample.report(1)), to: subject)
        let manifest = try ArtifactManifest(parsing: draft.manifest)
        #expect(manifest.subject?.digest == BlobDigest(sample.digest))
        #expect(manifest.artifactType == AttachmentDraft.validation)
        #expect(manifest.blobs.map(\.size) == draft.blobs.map(\.bytes.count))
        for (link, blob) in zip(manifest.blobs, draft.blobs) {
            #expect(link.digest.contentDigest == ContentDigest(of: blob.bytes))
        }
        // Types alone prove nothing.
        #expect(EvidenceSummary(ofTypes: [draft.entry])?.state == .unread)
    }
}
