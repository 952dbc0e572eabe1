// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// Surprise and principal components against PyTorch and NumPy, `Tests/Vectors/analysis`.
@Suite struct AnalysisTests {
    private func model() throws -> (folder: TemporaryFolder, model: any JEPAEncoder) {
        let (folder, source) = (try TemporaryFolder(), "\(vectors)/conversion/vjepa2")
        for (from, to) in [
            ("expected.safetensors", "model.safetensors"), ("expected-config.json", "config.json"),
        ] {
            try FileManager.default.copyItem(
                atPath: "\(source)/\(from)",
                toPath: "\(folder.path)/\(to)"
            )
        }
        return (folder, try ModelFamily.load(folder: folder.path))
    }

    @Test func surpriseIsThatOfTheReference() async throws {
        let file = try Checkpoint(opening: "\(vectors)/analysis/surprise.safetensors")
        let (folder, model) = try model()
        defer { withExtendedLifetime(folder) {} }
        let surprise = try await Surprise.measure(
            try #require(file["pixel_values"]).tensor,
            with: model,
            by: try SurpriseProtocol(window: 8, stride: 2, contexts: [2, 4, 6])
        )
        let expected = try #require(file["surprise"]).tensor
        #expect(expected.shape == [surprise.videos.count, surprise.videos[0].count, 3])
        for (video, windows) in surprise.videos.enumerated() {
            for (index, window) in windows.enumerated() {
                #expect(window.start == 2 * index)
                for (context, value) in window.values.enumerated() {
                    #expect(abs(value - expected[video, index, context]) <= 1e-5)
                }
            }
            #expect(surprise.maxima(of: video)[1] == windows.map { $0.values[1] }.max())
            let sum = windows.reduce(Float(0)) { $0 + $1.values[2] }
            #expect(abs(surprise.means(of: video)[2] - sum / Float(windows.count)) <= 1e-6)
        }
    }

    @Test func protocolsThatLeaveNothingToPredictAreRefused() throws {
        for (window, stride, contexts) in [(8, 2, [8]), (8, 0, [4]), (8, 2, []), (1, 1, [1])] {
            #expect(throws: ZooError(.surpriseProtocolInvalid, "")) {
                try SurpriseProtocol(window: window, stride: stride, contexts: contexts)
            }
        }
        let method = try SurpriseProtocol(window: 8, contexts: [4])
        #expect(throws: ZooError(.surpriseProtocolInvalid, "")) { try method.starts(frames: 7) }
        #expect(try method.starts(frames: 11) == [0, 2])
    }

    @Test(arguments: ["tall", "wide"])
    func componentsAreThoseOfASingularValueDecomposition(name: String) async throws {
        let file = try Checkpoint(opening: "\(vectors)/analysis/components.safetensors")
        let tokens = try #require(file["\(name).tokens"]).tensor
        let found = try await PrincipalComponents(of: tokens)
        let expected = try #require(file["\(name).projections"]).tensor
        #expect(found.projections.shape == expected.shape)
        for (one, other) in zip(found.projections.values, expected.values) {
            #expect(abs(one - other) <= 1e-4)
        }
        let explained = try #require(file["\(name).explained"]).tensor.values
        for (one, other) in zip(found.explained, explained) { #expect(abs(one - other) <= 1e-5) }
    }

    @Test func featuresWithoutComponentsAreRefused() async throws {
        let few = Tensor(zeros: [2, 5])
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await PrincipalComponents(of: few)
        }
        let broken = Tensor(shape: [4, 4], values: Array(repeating: .nan, count: 16))
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await PrincipalComponents(of: broken)
        }
        let flat = try await PrincipalComponents(of: Tensor(zeros: [4, 4]))
        #expect(flat.projections.values.allSatisfy { $0 == 0 } && flat.explained == [0, 0, 0])
    }
}
