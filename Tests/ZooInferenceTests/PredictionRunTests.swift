// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooInference
import ZooModels
import ZooTensor
import ZooTesting

/// Predictions and surprise from files, against the model called directly.
@Suite struct PredictionRunTests {
    @Test func contextFramesMaskTheRestOfAClip() async throws {
        let run = try await MaskedPredictionRun(folder: BallDrop.folder)
        for view in MaskedPredictionRun.EncoderView.allCases {
            let found = try await run.predict(
                BallDrop.clips[0],
                MaskedPredictionRun.Settings(contextFrames: 8, encoderView: view)
            )
            let pixels = try Clip(file: BallDrop.clips[0]).pixelValues
            let seen = try run.model.tokens(ofFrames: 0..<8, batch: 1)
            let hidden = try run.model.tokens(ofFrames: 8..<16, batch: 1)
            let encoding = try await run.model.encode(
                pixels,
                visible: view == .context ? seen : nil,
                options: ForwardOptions(),
                on: .shared
            )
            let expected = try await run.predictor.predict(
                hidden,
                from: try encoding.context.selecting(seen)
            )
            #expect(found.predicted.selection == hidden)
            #expect(found.predicted.values.values == expected.values.values)
        }
    }

    @Test func impossibleContextsAreRefused() async throws {
        let run = try await MaskedPredictionRun(folder: BallDrop.folder)
        for settings in [
            MaskedPredictionRun.Settings(), MaskedPredictionRun.Settings(contextFrames: 0),
            MaskedPredictionRun.Settings(contextFrames: 3),
            MaskedPredictionRun.Settings(contextFrames: 16),
            MaskedPredictionRun.Settings(contextFrames: 17, horizon: 2),
            MaskedPredictionRun.Settings(contextFrames: 8, horizon: .max),
        ] {
            let found = await code { _ = try await run.predict(BallDrop.clips[0], settings) }
            #expect(found == .tokenSelectionInvalid, "\(settings)")
        }
    }

    @Test func surpriseHasTheWindowsOfTheModel() async throws {
        let run = try await SurpriseRun(folder: BallDrop.folder)
        let found = try await run.measure(BallDrop.clips[0])
        #expect(found.surprise.method.window == 16)
        #expect(found.surprise.method.contexts == [8])
        let expected = try await Surprise.measure(
            try Clip(file: BallDrop.clips[0]).pixelValues,
            with: run.model,
            by: SurpriseProtocol(window: 16, contexts: [8])
        )
        #expect(found.surprise == expected)
    }

    @Test func surpriseNeedsAVideo() async throws {
        try await TemporaryFolder.with { folder in
            let image = try BallDrop.image(in: folder)
            let run = try await SurpriseRun(folder: BallDrop.folder)
            #expect(await code { _ = try await run.measure(image) } == .inputUnsuitable)
        }
    }
}
