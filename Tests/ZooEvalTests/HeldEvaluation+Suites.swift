// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

@testable import ZooEval

extension HeldEvaluation {
    /// The classifier of `Tests/Vectors/evaluation/held`.
    static let classifier = "\(vectors)/classifier"
    /// Its clips, in the layout of Something-Something v2.
    static let something = "\(vectors)/something"

    /// The accuracy of the classifier.
    static func classificationDocument(
        classes: String = "name",
        count: Int = 10,
        top: [Int] = [1, 5],
        preprocessing: String = "model",
        sampling: JSONValue = ["rule": "uniform", "frames": 4],
        layout: JSONValue = [
            "kind": "something-something", "labels": "labels.json", "list": "validation.json",
            "folder": "videos",
        ]
    ) -> JSONValue {
        document(
            "classification",
            layout: layout,
            count: count,
            parameters: [
                "input": "frames", "preprocessing": .string(preprocessing), "sampling": sampling,
                "classes": .string(classes), "top": .array(top.map { .integer($0) }),
            ],
            metrics: top.map { ("top-\($0) accuracy", "fraction", "higher") }
        )
    }

    /// Values that were published for one file.
    static func publishedDocument(
        file: String,
        parameters: [String: JSONValue],
        metrics: [(String, String, String)]
    ) -> JSONValue {
        var all: [String: JSONValue] = ["reason": "rounding", "tolerance": .number(1e-4)]
        all.merge(parameters) { $1 }
        return document(
            "published-values",
            layout: ["kind": "files", "files": [.string(file)]],
            count: 1,
            parameters: all,
            metrics: metrics
        )
    }

    /// Surprise of matching movies.
    static func scenesDocument(kinds: [String], pairs: Int, step: Int) -> JSONValue {
        document(
            "surprise",
            layout: ["kind": "intphys", "folder": "dev", "step": .integer(step), "frames": 16],
            count: pairs,
            parameters: [
                "window": 16, "stride": 2, "contexts": [2, 8], "maskIndex": 1,
                "error": "absolute", "horizon": "rest", "targets": "layer-norm", "pool": "mean",
                "kinds": .array(kinds.map { .string($0) }), "preprocessing": "model",
            ],
            metrics: kinds.flatMap { kind in
                ["relative accuracy", "absolute accuracy", "AUROC"].map {
                    ("\($0), \(kind)", "fraction", "higher")
                }
            }
        )
    }

    /// A definition with one split.
    static func document(
        _ suite: String,
        version: Int = 1,
        layout: JSONValue,
        count: Int,
        parameters: [String: JSONValue],
        metrics: [(String, String, String)]
    ) -> JSONValue {
        [
            "format": "ami-zoo.suite/1", "name": "held", "suite": .string(suite),
            "suiteVersion": .integer(version),
            "data": [
                "kind": "held", "name": "data", "split": "test",
                "splits": [["name": "test", "count": .integer(count), "layout": layout]],
            ],
            "parameters": .object(parameters),
            "metrics": .array(
                metrics.map { name, unit, direction in
                    [
                        "name": .string(name), "unit": .string(unit),
                        "direction": .string(direction),
                    ]
                }
            ),
            "seed": 0,
        ]
    }
}
