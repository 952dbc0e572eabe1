// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

@testable import ZooEval
@testable import ZooValidate

/// A validation with all that a page can show, whose texts and numbers a test chooses.
struct SampleValidation {
    /// The text in place of every name that others choose.
    var text: (String) -> String = { $0 }
    var values: [Double] = [0.91, 0.5]
    var claimed = 0.9
    var tolerance = 0.02

    /// The text where a record accepts it: a record refuses control characters and long units.
    private func stated(_ plain: String) -> String {
        let stated = text(plain)
        let isAccepted = (try? JSONObject(["x": .string(stated)]).string("x", maximum: 32)) != nil
        return isAccepted ? stated : plain
    }

    private static let digest = ContentDigest(of: [1])
    private static let data = ContentDigest(of: [3])

    private func definition() throws -> SuiteDefinition {
        let document: JSONValue = [
            "format": "ami-zoo.suite/1", "name": "measured", "suite": "measured",
            "suiteVersion": 1, "seed": 0, "parameters": [:],
            "data": [
                "kind": "dataset", "name": "test/clips", "version": "1.0.0",
                "digest": .string(Self.data.description), "split": "held-out",
            ],
            "metrics": [
                ["name": "success rate", "unit": "fraction", "direction": "higher"],
                ["name": "difference", "unit": "relative", "direction": "lower"],
            ],
        ]
        return try SuiteDefinition(parsing: document.canonicalBytes)
    }

    private func claim(_ metric: String, _ status: String) throws -> JSONValue {
        [
            "suite": "measured", "suiteDigest": .string(try definition().digest.description),
            "dataset": .string(stated("test/clips:1.0.0")),
            "datasetDigest": .string(Self.data.description), "metric": .string(metric),
            "unit": .string(stated("fraction")), "direction": "higher",
            "value": .number(claimed), "tolerance": .number(tolerance),
            "status": .string(status), "source": .string(stated("a paper")),
        ]
    }

    /// The record of `Tests/Vectors/releases` with these claims.
    func record() throws -> ReleaseRecord {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Vectors/releases").standardized
        func bytes(_ path: String) throws -> [UInt8] {
            Array(try Data(contentsOf: url.appending(path: path)))
        }
        let index = try IndexDocument(canonical: try bytes("index/ami/ball-drop.json"))
        let entry = try #require(index.entries.last)
        let manifest = try ReleaseManifest(
            canonical: try bytes("blobs/sha256/\(entry.digest.hex)")
        )
        var document = try JSONObject(
            JSONValue(parsing: try bytes("blobs/sha256/\(manifest.record.digest.hex)"))
        ).members
        document["evaluation"] = [
            try claim(stated("success rate"), "measured"), try claim(stated("other"), "upstream"),
        ]
        return try ReleaseRecord(canonical: JSONValue.object(document).canonicalBytes)
    }

    private var exhibits: [Exhibit] {
        let interval = ConfidenceInterval(low: values[1] - 0.1, high: values[1] + 0.1)
        let points = [Exhibit.Point(0, values[0]), Exhibit.Point(1, values[1], interval)]
        let positions = values.map { Exhibit.Paths.Position(x: $0 * 32, y: 16) }
        return [
            Exhibit(
                text("lines"),
                .curves(
                    Exhibit.Curves(
                        horizontal: text("frame"),
                        vertical: text("error in px"),
                        (0..<8).map { Exhibit.Line(text("line \($0)"), points) }
                            + [Exhibit.Line(text("nothing"), [])]
                    )
                )
            ),
            Exhibit(
                text("groups"),
                .bars(
                    Exhibit.Bars(
                        text("AUROC"),
                        [
                            Exhibit.Group(
                                text("a kind"),
                                [Exhibit.Bar(text("model"), values[1], interval)]
                            )
                        ]
                    )
                )
            ),
            Exhibit(
                text("paths"),
                .paths([
                    Exhibit.Paths(
                        sample: 3,
                        of: (32, 24),
                        seen: positions,
                        actual: positions,
                        predicted: positions.reversed()
                    )
                ])
            ),
            Exhibit(
                text("routes"),
                .routes(
                    [7, nil].map { steps in
                        Exhibit.Route(
                            sample: 4,
                            of: (32, 24),
                            walls: [Exhibit.Rectangle(x: 0, y: 0, width: 2, height: 24)],
                            goal: positions[0],
                            tolerance: 1.5,
                            planned: positions,
                            baseline: positions.reversed(),
                            steps: steps
                        )
                    }
                )
            ),
        ]
    }

    func validation() throws -> Validation {
        let (record, definition) = (try record(), try definition())
        let evaluation = EvaluationReport(
            model: Self.digest,
            definition: definition,
            data: definition.data.json,
            measurements: [
                Measurement(
                    MetricDefinition(
                        stated("success rate"),
                        unit: stated("fraction"),
                        better: .higher
                    ),
                    values[0],
                    samples: 100,
                    interval: ConfidenceInterval(low: values[0] - 0.05, high: values[0] + 0.05)
                ),
                Measurement(
                    MetricDefinition(
                        stated("difference"),
                        unit: stated("relative"),
                        better: .lower
                    ),
                    values[1],
                    samples: 4,
                    limit: .init(value: 0.001, reason: text("rounding"))
                ),
                Measurement(
                    MetricDefinition(
                        stated("agreement"),
                        unit: stated("share"),
                        better: .higher
                    ),
                    values[1],
                    samples: 4,
                    limit: .init(value: 0.25, reason: text("chance"))
                ),
            ],
            kernels: ["portable"],
            decoders: [:],
            probe: nil,
            exhibits: exhibits
        )
        let finding = Finding(
            ZooError.Code("validation.parity", .badData),
            path: text("suites"),
            message: text("it differs"),
            remedy: text("find out why")
        )
        return Validation(
            report: ValidationReport(
                of: record,
                Self.digest,
                created: Timestamp(secondsSince1970: 0),
                program: "1.0.0",
                machine: ["processor": .string(text("a processor")), "kernels": ["portable"]],
                checks: [
                    .init(.integrity, text("every byte")), .init(.parity, "stages", [finding]),
                ],
                evaluations: [evaluation.json],
                claims: [
                    ClaimComparison(record.evaluation[0], measured: values[0]),
                    ClaimComparison(record.evaluation[1], measured: nil),
                ]
            ),
            evaluations: [evaluation]
        )
    }

    func page() throws -> String { ValidationPage(try validation()).html }
}
