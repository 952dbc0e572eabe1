// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooModels
import ZooTensor

/// Loads a model folder, encodes the first half of a clip, predicts the second half, and says how far
/// off the prediction is.
///
///     swift run encode-and-predict MODEL-FOLDER CLIP.safetensors
@main
struct EncodeAndPredict {
    static func main() async throws {
        guard CommandLine.arguments.count == 3 else {
            print("usage: encode-and-predict MODEL-FOLDER CLIP.safetensors")
            return
        }
        let model = try ModelFamily.load(folder: CommandLine.arguments[1])
        let predictor = try model.requirePredictor()
        let clip = try Clip(file: CommandLine.arguments[2])
        let (batch, frames) = (clip.pixelValues.shape[0], clip.pixelValues.shape[1])

        let seen = try model.tokens(ofFrames: 0..<frames / 2, batch: batch)
        let hidden = try model.tokens(ofFrames: frames / 2..<frames, batch: batch)

        // The encoder sees the first half alone; the rest has no influence.
        let context = try await model.encode(
            clip.pixelValues,
            visible: seen,
            options: ForwardOptions(),
            on: .shared
        )
        let predicted = try await predictor.predict(hidden, from: context.context)
        let whole = try await model.encode(clip.pixelValues)
        let actual = try predictor.predictionTargets(of: whole).selecting(hidden)

        let differences = zip(predicted.values.values, actual.values.values).map { abs($0 - $1) }
        let mean = differences.reduce(0, +) / Float(differences.count)
        print("\(model.family): \(seen.count) tokens seen, \(hidden.count) predicted")
        print("mean difference from what happened: \(mean)")
    }
}
