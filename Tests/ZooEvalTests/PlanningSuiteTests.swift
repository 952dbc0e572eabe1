// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooEval

/// The suite `planning/1` with a model of random weights, `Tests/Vectors/environments/make_model.py`.
@Suite struct PlanningSuiteTests {
    private static let release = "\(SampleEvaluation.root)/Tests/Vectors/environments/model"

    /// A definition of few and short episodes, with other parameters or data.
    static func definition(
        _ changes: [String: JSONValue] = [:],
        data: JSONValue = ["kind": "environment", "name": "two-rooms", "version": 1]
    ) throws -> SuiteDefinition {
        var parameters: [String: JSONValue] = [
            "episodes": 5, "steps": 4, "block": 1, "distance": "sum-of-squares", "horizon": 3,
            "replan": 2, "samples": 12, "elites": 3, "iterations": 2, "std": 1,
        ]
        parameters.merge(changes) { $1 }
        let document: JSONValue = [
            "format": "ami-zoo.suite/1", "name": "planning", "suite": "planning",
            "suiteVersion": 1, "data": data, "parameters": .object(parameters),
            "metrics": [
                ["name": "success rate", "unit": "fraction", "direction": "higher"],
                ["name": "steps of successful episodes", "unit": "steps", "direction": "lower"],
                [
                    "name": "success rate, random policy", "unit": "fraction",
                    "direction": "higher",
                ],
                [
                    "name": "success rate, straight line", "unit": "fraction",
                    "direction": "higher",
                ],
            ],
            "seed": 5,
        ]
        return try SuiteDefinition(parsing: document.canonicalBytes)
    }

    private static func model(_ folder: String = release) -> EvaluatedModel {
        EvaluatedModel(folder: folder, digest: ContentDigest(of: [1]))
    }

    static func run(
        _ definition: SuiteDefinition,
        of model: EvaluatedModel = model()
    ) async throws -> EvaluationRun {
        guard case .environment(let id) = definition.data else { throw CancellationError() }
        return try await EvaluationRun(definition, of: model, on: .environment(id))
    }

    @Test func twoRunsAndMergedShardsGiveEqualBytes() async throws {
        try await TemporaryFolder.with { folder in
            let run = try await Self.run(Self.definition())
            var reports: [[UInt8]] = []
            for name in ["one", "two"] {
                try await run.compute(in: folder.path(of: name))
                let report = try await run.report(from: [folder.path(of: name)])
                reports.append(report.json.canonicalBytes)
            }
            let parts = (1...3).map { folder.path(of: "part\($0)") }
            for (index, part) in parts.enumerated() {
                try await run.compute(try #require(Shard("\(index + 1)/3")), in: part)
            }
            reports.append(try await run.report(from: parts).json.canonicalBytes)
            #expect(reports[0] == reports[1] && reports[0] == reports[2])
        }
    }

    /// The numbers of actions that the Python twin counts, `Tests/Vectors/environments/make.py`.
    @Test func baselinesAreThoseOfThePythonTwin() async throws {
        let vectors = try EnvironmentTests.vectors()
        let definition = try Self.definition([
            "steps": 40, "horizon": 1, "replan": 1, "samples": 2, "elites": 2, "iterations": 1,
        ])
        let suite = try PlanningSuite(definition)
        let stage = try await suite.stage(
            of: Self.model(),
            on: .environment(.init(name: "two-rooms", version: 1))
        )
        let columns = try await stage.compute(0..<12, on: .shared)
        for name in ["random", "straight"] {
            let expected = try vectors.numbers(name, maximum: 1000).prefix(12)
            #expect(try #require(columns[name]).values.map(Double.init) == Array(expected))
        }
    }

    /// Columns with these numbers of planned steps, on ways along y = 16; no random policy succeeds, and every straight line
    /// does.
    static func table(_ planned: [Float]) -> SampleTable {
        let shape = Shape([planned.count, 1])
        return SampleTable([
            ChunkFolder.Chunk(
                samples: planned.count,
                kernels: "portable",
                digest: ContentDigest(of: [])
            ) {
                [
                    "planned": Tensor(shape: shape, values: planned),
                    "random": Tensor(shape: shape, values: planned.map { _ in 0 }),
                    "straight": Tensor(shape: shape, values: planned.map { _ in 3 }),
                    "way": Tensor(
                        shape: Shape([planned.count, 10]),
                        values: planned.flatMap { _ in (0..<5).flatMap { [Float($0), 16] } }
                    ),
                ]
            }
        ])
    }

    /// What the columns become: shares with Wilson's interval, and a mean that exists without successes too.
    @Test func ratesFollowFromColumns() async throws {
        let suite = try PlanningSuite(Self.definition())
        let data = EvaluationData.environment(.init(name: "two-rooms", version: 1))
        func measure(_ planned: [Float]) async throws -> [ZooEval.Measurement] {
            try await ComputePool.shared.run { session in
                try suite.measure(Self.table(planned), on: data, in: session)
            }
        }
        let some = try await measure([2, 0, 4, 3])
        #expect(some.map(\.value) == [0.75, 3, 0, 1])
        #expect(some.map(\.samples) == [4, 3, 4, 4])
        // statsmodels.stats.proportion.proportion_confint(3, 4, method="wilson")
        let interval = try #require(some[0].interval)
        #expect(abs(interval.low - 0.300_641_8) < 1e-6 && abs(interval.high - 0.954_412_7) < 1e-6)
        let none = try await measure([0, 0])
        #expect(none.map(\.value) == [0, 4, 0, 1])
        #expect(none[1].samples == 0)
    }

    @Test(arguments: [
        ("model", "evaluation.data-unsuitable", "takes no actions"),
        ("block", "evaluation.data-unsuitable", "actions of 2 values"),
        ("size", "evaluation.data-unsuitable", "32 x 32 pixels becomes an input of shape"),
        ("version", "evaluation.environment-unknown", "two-rooms/2"),
        ("data", "format.field-invalid", "environment"),
        ("replan", "format.field-invalid", "replan"),
        ("elites", "format.field-invalid", "elites"),
        ("std", "format.field-invalid", "std"),
    ])
    func whatDoesNotSuitIsRefused(kind: String, code: String, text: String) async throws {
        try await TemporaryFolder.with { folder in
            var model = Self.model()
            if kind == "model" {
                model = Self.model("\(SampleEvaluation.root)/models/ami/ball-drop/release")
            }
            if kind == "size" {
                for name in ["config.json", "model.safetensors"] {
                    let bytes = try FileSystem.document("\(Self.release)/\(name)", limit: 1 << 26)
                    try folder.write(bytes, to: "small/\(name)")
                }
                let processor: JSONValue = [
                    "do_resize": true, "size": ["height": 24, "width": 24], "resample": 2,
                    "do_rescale": true, "rescale_factor": .number(0.25), "do_normalize": false,
                ]
                try folder.write(processor.canonicalBytes, to: "small/preprocessor_config.json")
                model = Self.model(folder.path(of: "small"))
            }
            let changes: [String: [String: JSONValue]] = [
                "block": ["block": 2], "replan": ["replan": 4], "elites": ["elites": 13],
                "std": ["std": 0],
            ]
            let data: [String: JSONValue] = [
                "version": ["kind": "environment", "name": "two-rooms", "version": 2],
                "data": ["kind": "release"],
            ]
            let error = await #expect(throws: ZooError.self) {
                let definition =
                    try data[kind].map { try Self.definition(data: $0) }
                    ?? Self.definition(changes[kind] ?? [:])
                let source: EvaluationData =
                    if case .environment(let id) = definition.data { .environment(id) } else {
                        .release
                    }
                _ = try await EvaluationRun(definition, of: model, on: source)
            }
            #expect(error?.code.rawValue == code)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
    }
}
