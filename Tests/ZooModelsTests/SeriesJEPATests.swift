// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

@testable import ZooModels

/// A small series JEPA: the numbers are those of PyTorch (`Tests/Vectors/families/series-jepa/make.py`).
@Suite struct SeriesJEPATests {
    private static let folder = "\(vectors)/families/series-jepa"
    private let model: SeriesJEPAModel
    private let expected: Checkpoint
    private let clip: Clip

    init() throws {
        model = try SeriesJEPAModel(folder: Self.folder)
        expected = try Checkpoint(opening: "\(Self.folder)/expected.safetensors")
        clip = try Clip(file: "\(Self.folder)/expected.safetensors")
    }

    private func expect(_ found: Tensor, _ name: String, _ tolerance: Float = 1e-5) throws {
        let wanted = try #require(expected[name], "\(name)").tensor
        #expect(found.shape == wanted.shape)
        let largest = zip(found.values, wanted.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(largest <= tolerance, "\(name)")
    }

    @Test func featuresAndPredictionsAreThoseOfPyTorch() async throws {
        let values = try #require(expected["values"]).tensor
        let whole = try await model.encode(values)
        try expect(whole.tokens.values, "last_hidden_state")
        let predictor = try model.requirePredictor()
        try expect(try predictor.predictionTargets(of: whole).values, "targets")
        let context = try await model.encode(values, visible: clip.tokens("context_ids")).context
        try expect(context.values, "context_hidden_state")
        let targets = try #require(try clip.tokens("target_ids"))
        try expect(try await predictor.predict(targets, from: context).values, "predicted")
    }

    /// A file with `values` is a clip of one pixel.
    @Test func aFileOfWindowsIsAnInput() async throws {
        #expect(clip.pixelValues.shape == [2, 24, 5, 1, 1])
        try expect(try await model.encode(clip.pixelValues).tokens.values, "last_hidden_state")
        #expect(model.input.frames == 24 && model.input.tubelet == 3 && model.input.channels == 5)
        #expect(model.input.height == 1 && model.input.width == 1)
        #expect(try model.tokens(ofFrames: 3..<9, batch: 2).ids == [[1, 2], [1, 2]])
    }

    @Test(arguments: [
        [2, 24, 4], [2, 21, 5], [2, 24], [0, 24, 5], [2, 24, 5, 1], [2, 24, 5, 1, 2], [2, 48, 5],
    ])
    func windowsOfAnotherShapeAreRefused(sizes: [Int]) async throws {
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.encode(Tensor(zeros: Shape(sizes)))
        }
    }

    @Test func stepsThatAreNotTokensAreRefused() async throws {
        for steps in [0..<4, 1..<3, 0..<0, 0..<27, -3..<3, 0..<Int.max] {
            #expect(throws: ZooError(.tokenSelectionInvalid, ""), "\(steps)") {
                try model.tokens(ofFrames: steps, batch: 1)
            }
        }
    }
}
