// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooModels
import ZooTensor

/// What `Benchmarks/parity.py` asks for: a predictor of full size under actions, which no command shows.
@Suite struct FullSizeTests {
    private static let folder = ProcessInfo.processInfo.environment["AMI_ZOO_FULL_SIZE"]

    @Test(.enabled(if: folder != nil, "Benchmarks/parity.py runs this"))
    func predictsTheNextFrames() async throws {
        let folder = try #require(Self.folder)
        let given = try Checkpoint(opening: "\(folder)/input.safetensors")
        let known = try LatentSequence(
            latents: try #require(given["latents"]).tensor,
            states: given["states"]?.tensor
        )
        let model = try ModelFamily.loadWorldModel(folder: "\(folder)/release")
        let found = try await model.predict(
            known,
            under: try #require(given["actions"]).tensor,
            on: .shared
        )
        try SafetensorsWriter.write(
            ["predicted": StoredTensor(found.latents)],
            to: "\(folder)/output.safetensors"
        )
        let expected = try #require(given["predicted"]).tensor
        let difference = zip(found.latents.values, expected.values)
            .reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(found.latents.shape == expected.shape && difference <= 1e-4, "\(difference)")
    }
}
