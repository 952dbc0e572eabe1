// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Suites on held data against PyTorch, torchvision and scikit-learn.
@Suite struct HeldSuiteTests {
    /// Paths, order and classes of `torchvision.datasets.ImageFolder`, and the digest that anybody can compute.
    @Test(arguments: ["train", "val"])
    func classFoldersAreThoseOfTorchvision(name: String) async throws {
        let expected = try HeldEvaluation.expected("images")
        let sample = try await HeldEvaluation.images(.neighbours)
        let (split, wanted) = (try sample.split(name), try expected.object(name))
        #expect(split.samples.map(\.path) == (try wanted.strings("paths", maximum: 100, each: 100)))
        #expect(
            split.samples.map(\.label) == (try wanted.integers("labels", in: 0...9, maximum: 100))
        )
        #expect(try sample.digest(name) == (try wanted.digest("digest")))
        #expect(split.classes.names == (try expected.strings("classes", maximum: 9, each: 99)))
    }

    @Test func probesOfClassFoldersAreThoseOfScikitLearn() async throws {
        let expected = try HeldEvaluation.expected("images")
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let linear = try await HeldEvaluation.images(.linear).report(in: work)
            #expect(try linear.measurement("accuracy").value == expected.number("linear"))
            // The features are those of the other probe.
            let sample = try await HeldEvaluation.images(.neighbours)
            try await sample.run().compute(in: work) { #expect($0.computed == 0) }
            let votes = try await sample.report(in: work)
            #expect(
                try votes.measurement("accuracy, 5 neighbours").value == expected.number("knn5")
            )
            guard case .object(let data) = votes.data, case .array(let found)? = data["digests"]
            else { throw CancellationError() }
            for (value, name) in zip(found, ["train", "val"]) {
                let entry = try JSONObject(value)
                #expect(try entry.string("split") == name)
                #expect(try entry.digest("digest") == expected.object(name).digest("digest"))
            }
        }
    }

    @Test func featuresAreThoseOfPyTorch() async throws {
        let wanted = try HeldEvaluation.expected("images").numbers("features", maximum: 10_000)
        let sample = try await HeldEvaluation.images(.neighbours)
        let stage = try await SuiteList.suite(for: sample.definition)
            .stages(of: sample.model, on: sample.data)[1]
        let found = try await stage.compute(0..<16, on: .shared)[ProbeFeatureStage.features]
        let values = try #require(found).values
        try #require(values.count == wanted.count)
        #expect(zip(values, wanted).allSatisfy { abs(Double($0) - $1) < 1e-4 })
    }

    /// Parts of a run, merged, and a run that continues another one, give the numbers of one run.
    @Test func shardsAndResumedRunsGiveTheSameNumbers() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await HeldEvaluation.images(.linear)
            let whole = try await sample.report(in: folder.path(of: "whole"))
            for index in 1...2 {
                try await sample.run().compute(
                    try #require(Shard("\(index)/2")),
                    in: folder.path(of: "part\(index)")
                )
            }
            let parts = (1...2).map { folder.path(of: "part\($0)") }
            #expect(try await sample.run().report(from: parts).json == whole.json)
            // Another opening of the same data continues a part.
            let again = try await HeldEvaluation.images(.linear)
            #expect(try await again.report(in: parts[0]).json == whole.json)
        }
    }
}
