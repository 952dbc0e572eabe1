// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooModels
import ZooTensor

/// A small model folder of every family, and all that can be run of it.
enum SmallModels {
    private static let converted = [
        "ijepa", "vjepa", "vjepa2", "vjepa21", "vjepa21-distilled", "vjepa2-ac", "lewm",
        "vjepa-probe", "vjepa2-probe", "vjepa2-ek100",
    ]
    /// Families whose vectors hold a release folder: its path below `families`.
    private static let laidOut = [
        "jepa-wm": "jepa-wm/jepa-wm", "jepa-wm-visual": "jepa-wm/jepa-wm-visual",
        "dino-wm": "jepa-wm/dino-wm", "dino-wm-visual": "jepa-wm/dino-wm-visual",
        "series-jepa": "series-jepa",
    ]

    /// A folder of its own with a small model.
    static func folder(_ name: String) async throws -> (path: String, owner: Any) {
        guard let place = laidOut[name] else {
            let files = try await ConvertedCase(name)
            return (files.release, files)
        }
        let folder = try TemporaryFolder()
        for file in ["config.json", "model.safetensors"] {
            let path = "\(ZooModelsTests.vectors)/families/\(place)/\(file)"
            try folder.write(Array(try Data(contentsOf: URL(filePath: path))), to: file)
        }
        return (folder.path, folder)
    }

    static let all = converted + laidOut.keys.sorted()

    /// Some numbers, not all alike.
    private static func input(_ shape: Shape) -> Tensor {
        Tensor(shape: shape, values: (0..<shape.elementCount).map { sin(Float($0 % 1000)) })
    }

    /// Loads a folder and runs all that it can do on small inputs: what it computed.
    static func run(_ folder: String) async throws -> [Float] {
        let configuration = try JSONObject(
            JSONValue(parsing: Array(try Data(contentsOf: URL(filePath: "\(folder)/config.json"))))
        )
        let type = try configuration.optionalString("model_type") ?? ""
        if type.hasSuffix("probe") {
            let probe = try AttentiveProbe(folder: folder)
            guard probe.width <= 64 else { return [] }
            let logits = try await probe.logits(of: input([2, 3, probe.width]))
            return logits.sorted { $0.key < $1.key }.flatMap(\.value.values)
        }
        var result: [Float] = []
        if ["vjepa2_ac", "jepa_wm", "dino_wm", "lewm"].contains(type) {
            result += try await runWorldModel(folder)
        }
        guard !["jepa_wm", "dino_wm"].contains(type) else { return result }
        let model = try ModelFamily.load(folder: folder)
        if type == "series_jepa" { return try await runSeries(model) }
        // A clip as small as any, whatever the configuration says: 16 by 16 pixels.
        let frames = type == "ijepa" || type == "lewm" ? 1 : 4
        let clip = input([1, frames, min(model.input.channels, 8), 16, 16])
        let encoding = try await model.encode(clip)
        result += encoding.tokens.values.values
        let context = try model.tokens(ofFrames: 0..<max(1, frames / 2), batch: 1)
        let targets = try model.tokens(
            ofFrames: frames == 1 ? 0..<1 : frames / 2..<frames,
            batch: 1
        )
        guard targets.count <= 4096, !["lewm", "vjepa2_ac"].contains(type) else { return result }
        let known = try encoding.context.selecting(context)
        return try await result
            + model.requirePredictor().predict(targets, from: known).values.values
    }

    /// Predicts every token of a window from the first.
    private static func runSeries(_ model: any JEPAEncoder) async throws -> [Float] {
        let size = model.input
        let encoding = try await model.encode(input([1, size.frames, size.channels]))
        let known = try encoding.context.selecting(.first(1, batch: 1))
        let predicted = try await model.requirePredictor().predict(
            model.tokens(ofFrames: 0..<size.frames, batch: 1),
            from: known
        )
        return encoding.tokens.values.values + predicted.values.values
    }

    private static func runWorldModel(_ folder: String) async throws -> [Float] {
        let model = try ModelFamily.loadWorldModel(folder: folder)
        let sizes = model.latentShape
        // What no one could hold in memory is not asked for.
        guard sizes.tokens * sizes.width <= 1 << 16, sizes.stateWidth <= 1 << 16 else {
            return []
        }
        let known = try LatentSequence(
            latents: input([1, 1, sizes.tokens, sizes.width]),
            states: sizes.stateWidth == 0 ? nil : input([1, 1, sizes.stateWidth])
        )
        return try await model.rollOut(
            from: known,
            under: input([1, 3, sizes.actionWidth])
        ).latents.values
    }
}
