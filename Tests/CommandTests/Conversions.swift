// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCheckpoint
import ZooTensor
import ZooTesting

/// Small checkpoints of labs, and a catalogue that speaks of one.
enum Conversions {
    static let vectors = "\(Program.root)Tests/Vectors/conversion"
    /// What a small V-JEPA 2 does not say of itself.
    static let options = [
        "--heads", "2", "--predictor-heads", "1", "--crop-size", "16", "--frames", "4",
    ]
    /// A small V-JEPA 2 in training.
    static let file = "\(vectors)/vjepa2/upstream.pt"
    static let vjepa2 = [file] + options
    /// A small probe with the backbone above.
    static let probe = ["\(vectors)/vjepa2-probe/upstream.pt", "--backbone", file] + options
    /// A small V-JEPA 2-AC.
    static let arm = [
        "\(vectors)/vjepa2-ac/upstream.pt", "--heads", "2", "--predictor-heads", "2",
        "--crop-size", "16", "--frames", "16",
    ]

    /// Writes two frames and the poses of an arm at them, as `plan` takes them.
    static func writeTrajectory(to path: String) throws {
        let pixels: [Float] = (0..<1536).map { index in Float(index % 97) / 97 }
        let poses: [Float] = [0.4, 0, 0.3, 0, 0, 0, 0, 0.45, 0.02, 0.35, 0, 0, 0, 0]
        let tensors: [String: StoredTensor] = [
            "pixel_values": StoredTensor(Tensor(shape: [1, 2, 3, 16, 16], values: pixels)),
            "states": StoredTensor(Tensor(shape: [1, 2, 7], values: poses)),
        ]
        try SafetensorsWriter.write(tensors, to: path)
    }

    /// The arguments that import the small V-JEPA 2 from a local copy.
    static func imported(in folder: TemporaryFolder) -> [String] {
        ["lab/tiny", "--catalogue", folder.path(of: "catalogue"), "--from", file]
    }

    /// Writes a catalogue with one model.
    static func writeCatalogue(
        in folder: TemporaryFolder,
        licence: String = "MIT",
        tensors: Int = 28,
        details: String = "size: unknown, sha256: unknown"
    ) throws {
        let text = """
            name: lab/tiny
            summary: A small model.
            authors: [somebody]
            licence: \(licence)
            homepage: https://example.org/lab
            architecture: {family: vjepa2, variant: tiny, heads: 2, predictorHeads: 1,
                           resolution: 16, frames: 4}
            upstream: {url: "https://example.org/lab/tiny.pt", container: torch-zip, \(details),
                       component: target_encoder}
            components:
              - {name: encoder, tensors: \(tensors), parameters: 16824}
              - {name: predictor, tensors: 40, parameters: 4524}
            inputs: {modality: video, frames: 4, height: 16, width: 16, channels: rgb,
                     layout: BTCHW, preprocessing: {orientation: unknown, resize: {rule: none},
                     resampling: none, crop: {rule: none}, rescale: 1, mean: [0, 0, 0],
                     std: [1, 1, 1]}}
            evaluation: []
            unknown: [size, sha256, licence, inputs.preprocessing.orientation]
            """
        try folder.write(Array(text.utf8), to: "catalogue/lab/tiny/model.yaml")
        try folder.write(Array("# A card\n".utf8), to: "catalogue/lab/tiny/README.md")
    }
}
